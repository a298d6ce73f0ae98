-- Purpose: shared objects of a plan of which some version still waits, or (``exceptions``) was an exception.
-- Parameters: plan_id, exceptions. Grain: object. Idempotency: reads only.
SELECT DISTINCT
    store,
    bucket,
    object_key
FROM gov.erasure_rewrite
WHERE
    plan_id = :plan_id AND object_key <> ''
    AND (state = 'planned' OR (:exceptions AND state = 'exception'))
ORDER BY store, bucket, object_key
