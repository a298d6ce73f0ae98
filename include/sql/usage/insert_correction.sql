-- Purpose: somebody asks for a released period to be counted again.
-- Parameters: period_key, reason, asked_by, asked_at.
-- Grain: one row; returns the number of the revision.
-- Idempotency: none; each request is a revision of its own.
INSERT INTO gov.release_correction (period_key, reason, asked_by, asked_at)
VALUES (:period_key, :reason, :asked_by, :asked_at)
RETURNING revision
