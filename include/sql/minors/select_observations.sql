-- Purpose: verdict and over-represented dates of every source as this run saw them.
-- Parameters: run_id. Grain: source. Idempotency: reads only.
SELECT
    source,
    verdict,
    rows,
    over_represented
FROM gov.source_observation
WHERE run_id = :run_id
ORDER BY source
