-- Purpose: made-up people that no night is to look for any more; whoever was erased stays as proof.
-- Parameters: before (planted before), at, by. Grain: canary. Idempotency: withdrawn once.
UPDATE gov.canary AS k SET
    withdrawn_at = :at,
    withdrawn_by = :by
WHERE
    k.withdrawn_at IS NULL AND k.planted_at < :before
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_case AS c
        WHERE c.subject_ref = k.subject_ref AND c.closed_at IS NOT NULL
    )
