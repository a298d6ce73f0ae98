-- Purpose: how many rows a source held in earlier runs of the last days.
-- Parameters: source, run_id, at, days. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS runs,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY rows) AS median_rows
FROM gov.source_observation
WHERE
    source = :source AND run_id <> :run_id AND verdict <> 'block'
    AND observed_at < :at AND observed_at >= :at - make_interval(days => :days)
