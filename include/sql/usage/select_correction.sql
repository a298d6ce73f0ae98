-- Purpose: a correction and the run that carries it out, if any does.
-- Parameters: revision and run_id; either may be NULL.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT
    c.revision,
    c.period_key,
    c.reason,
    c.asked_by,
    u.run_id
FROM gov.release_correction AS c
LEFT JOIN gov.release_correction_run AS u ON c.revision = u.revision
WHERE c.revision = CAST(:revision AS smallint) OR u.run_id = CAST(:run_id AS text)
