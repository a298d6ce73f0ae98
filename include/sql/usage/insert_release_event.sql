-- Purpose: note what happened to a release: published, adopted after a crash, served again, withdrawn.
-- Parameters: release_id, kind, run_id, at, reason.
-- Grain: one row.
-- Idempotency: none; it is a log.
INSERT INTO gov.release_event (release_id, kind, run_id, at, reason)
VALUES (:release_id, :kind, :run_id, :at, :reason)
