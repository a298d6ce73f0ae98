-- Purpose: the week of a run.
-- Parameters: run_id.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT r.facts ->> 'iso_week' AS iso_week FROM gov.run AS r WHERE r.run_id = :run_id
