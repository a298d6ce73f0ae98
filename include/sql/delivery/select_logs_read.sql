-- Purpose: which of these files of the access log were read before.
-- Parameters: keys (text array).
-- Grain: one row per file.
-- Idempotency: reads only.
SELECT l.object_key FROM gov.access_log_read AS l WHERE l.object_key = ANY(CAST(:keys AS text[]))
