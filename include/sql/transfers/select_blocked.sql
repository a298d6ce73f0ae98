-- Purpose: destinations that no job may write to now.
-- Parameters: none.
-- Grain: one destination.
-- Idempotency: read only.
SELECT
    destination,
    min(blocked_at) AS blocked_at
FROM gov.blocked_destination
WHERE lifted_at IS NULL
GROUP BY destination
ORDER BY destination
