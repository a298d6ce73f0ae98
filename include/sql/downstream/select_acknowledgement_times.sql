-- Purpose: service level M5: hours from instruction to acknowledgement.
-- Parameters: none. Grain: one row; NULL where there is nothing to measure. Idempotency: reads only.
SELECT
    count(*) FILTER (WHERE state = 'acknowledged') AS acknowledged,
    count(*) FILTER (WHERE state NOT IN ('acknowledged', 'withdrawn')) AS open,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(EPOCH FROM acked_at - instructed_at) / 3600)
    FILTER (WHERE state = 'acknowledged') AS median_hours,
    max(extract(EPOCH FROM acked_at - instructed_at) / 3600) FILTER (WHERE state = 'acknowledged') AS longest_hours
FROM gov.downstream_instruction
