-- Purpose: what a run changed in the findings.
-- Parameters: :run_id.
-- Grain: one kind of change.
-- Idempotency: read only.
SELECT
    change,
    count(*) AS n
FROM gov.finding_change WHERE run_id = :run_id GROUP BY change
