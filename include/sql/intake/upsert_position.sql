-- Purpose: remember up to when the intake has read. Parameters: name, position, run_id. Grain: intake.
-- Idempotency: it only moves forward.
INSERT INTO gov.intake_cursor (name, position, moved_by_run)
VALUES (:name, :position, :run_id)
ON CONFLICT (name) DO UPDATE SET
    position = excluded.position,
    moved_by_run = excluded.moved_by_run
WHERE gov.intake_cursor.position < excluded.position
