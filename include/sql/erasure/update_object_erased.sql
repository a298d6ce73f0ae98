-- Purpose: this key was listed, emptied, and listed again with nothing left.
-- Parameters: object_no, plan_id, versions, markers, uploads, at. Grain: key.
-- Idempotency: counts of a resumed key add up.
UPDATE gov.erasure_object SET
    versions = coalesce(versions, 0) + :versions,
    markers = coalesce(markers, 0) + :markers,
    uploads = coalesce(uploads, 0) + :uploads,
    erased_at = :at
WHERE plan_id = :plan_id AND object_no = :object_no
