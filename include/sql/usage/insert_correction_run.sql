-- Purpose: bind a correction to the run that carries it out.
-- Parameters: revision, run_id, begun_at.
-- Grain: at most one row.
-- Idempotency: the first run stands; binding it again changes nothing.
INSERT INTO gov.release_correction_run (revision, run_id, begun_at)
VALUES (:revision, :run_id, :begun_at)
ON CONFLICT DO NOTHING
