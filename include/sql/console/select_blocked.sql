-- Purpose: destinations to which no job writes now. Parameters: most. Grain: destination and finding.
-- Idempotency: reads only.
SELECT
    destination,
    fingerprint,
    reason,
    blocked_at
FROM gov.blocked_destination
WHERE lifted_at IS NULL
ORDER BY blocked_at DESC
LIMIT :most
