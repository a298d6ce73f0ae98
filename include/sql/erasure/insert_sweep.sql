-- Purpose: a sweep was done.
-- Parameters: case_id, after_days, run_id, at, found. Grain: case and day. Idempotency: done once.
INSERT INTO gov.sweep (case_id, after_days, run_id, swept_at, found)
VALUES (:case_id, :after_days, :run_id, :at, :found)
ON CONFLICT (case_id, after_days) DO NOTHING
