-- Purpose: lifts blocks whose finding is closed or no longer critical.
-- Parameters: :at.
-- Grain: one destination and finding.
-- Idempotency: a lifted block stays lifted.
UPDATE gov.blocked_destination AS b SET lifted_at = :at
FROM gov.finding AS f
WHERE
    f.fingerprint = b.fingerprint AND b.lifted_at IS NULL AND (f.status = 'closed' OR f.severity <> 'CRITICAL')
