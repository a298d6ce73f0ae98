-- Purpose: a file of the access log was read.
-- Parameters: object_key, at, downloads.
-- Grain: one row.
-- Idempotency: a file that was read stays read.
INSERT INTO gov.access_log_read (object_key, read_at, downloads) VALUES (:object_key, :at, :downloads)
ON CONFLICT (object_key) DO NOTHING
