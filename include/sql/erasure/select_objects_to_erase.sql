-- Purpose: object keys of a plan that are not proven gone yet, or all of them (``again``).
-- Parameters: plan_id, again. Grain: key. Idempotency: reads only.
SELECT
    object_no,
    bucket,
    object_key,
    is_prefix
FROM gov.erasure_object
WHERE plan_id = :plan_id AND (state <> 'erased' OR :again)
ORDER BY bucket, object_key
