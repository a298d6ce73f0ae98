-- Purpose: verdict and over-represented dates of every source as it was last seen, for a look between two nights.
-- Parameters: at. Grain: source. Idempotency: reads only.
SELECT DISTINCT ON (source)
    source,
    verdict,
    rows,
    over_represented
FROM gov.source_observation
WHERE observed_at <= :at
ORDER BY source ASC, observed_at DESC
