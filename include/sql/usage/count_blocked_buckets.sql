-- Purpose: whether the transfer inventory has blocked the bucket that releases go to.
-- Parameters: destination (bucket:…).
-- Grain: one row.
-- Idempotency: reads only.
SELECT COUNT(*) AS blocks
FROM gov.blocked_destination AS b
WHERE b.lifted_at IS NULL AND b.destination = :destination
