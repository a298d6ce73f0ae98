-- Purpose: deletes accesses that are older than they may be kept.
-- Parameters: :before (time).
-- Grain: one access.
-- Idempotency: deletes what is there.
DELETE FROM gov.access_log AS l WHERE l.at < :before
