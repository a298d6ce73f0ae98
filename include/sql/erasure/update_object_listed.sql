-- Purpose: how many versions and markers of this key are about to be deleted, so that a kill loses no count.
-- Parameters: object_no, plan_id, versions, markers. Grain: key.
-- Idempotency: what an attempt without an end has written stands, for the next finds only what that one left; what was
-- proven gone before and has come back is counted besides.
UPDATE gov.erasure_object SET
    versions
    = CASE WHEN state = 'planned' THEN greatest(versions, :versions) ELSE coalesce(versions, 0) + :versions END,
    markers
    = CASE WHEN state = 'planned' THEN greatest(markers, :markers) ELSE coalesce(markers, 0) + :markers END,
    state = 'planned'
WHERE plan_id = :plan_id AND object_no = :object_no
