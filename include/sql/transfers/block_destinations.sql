-- Purpose: puts the destinations of critical findings on the block list.
-- Parameters: :at, :rows (JSON array of fingerprint, destination, title).
-- Grain: one destination and finding.
-- Idempotency: a destination that is blocked stays blocked since then.
INSERT INTO gov.blocked_destination (destination, fingerprint, reason, blocked_at)
SELECT
    r.destination,
    r.fingerprint,
    r.title,
    :at
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (fingerprint text, destination text, title text)
ON CONFLICT (destination, fingerprint) DO UPDATE SET
    reason = excluded.reason,
    blocked_at = CASE
        WHEN blocked_destination.lifted_at IS NULL THEN blocked_destination.blocked_at ELSE excluded.blocked_at
    END,
    lifted_at = NULL
