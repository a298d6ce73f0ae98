-- Purpose: object keys of a plan that are not proven gone yet.
-- Parameters: plan_id. Grain: key. Idempotency: reads only.
SELECT
    object_no,
    bucket,
    object_key,
    is_prefix
FROM gov.erasure_object
WHERE plan_id = :plan_id AND erased_at IS NULL
ORDER BY bucket, object_key
