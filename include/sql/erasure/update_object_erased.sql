-- Purpose: this key was listed, emptied, and listed again: nothing is left, or only what a lock keeps.
-- Parameters: object_no, plan_id, versions, markers, uploads, at, state, reason, locked_until. Grain: key.
-- versions and markers: more (or fewer, where a lock kept some) than update_object_listed has written.
-- Idempotency: counts of a resumed key add up.
UPDATE gov.erasure_object SET
    versions = coalesce(versions, 0) + :versions,
    markers = coalesce(markers, 0) + :markers,
    uploads = coalesce(uploads, 0) + :uploads,
    state = :state,
    reason = :reason,
    locked_until = :locked_until,
    erased_at = CASE WHEN :state = 'erased' THEN cast(:at AS timestamptz) END
WHERE plan_id = :plan_id AND object_no = :object_no
