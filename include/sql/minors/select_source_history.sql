-- Purpose: how many rows a source held in earlier runs of the last days.
-- Parameters: source, run_id, at, days. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS runs,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY o.rows) AS median_rows
FROM gov.source_observation AS o
WHERE
    o.source = :source AND o.run_id <> :run_id AND o.verdict <> 'block'
    AND o.observed_at < :at AND o.observed_at >= :at - make_interval(days => :days)
