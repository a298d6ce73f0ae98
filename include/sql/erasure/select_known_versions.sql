-- Purpose: versions of shared objects that a plan knows.
-- Parameters: plan_id. Grain: version. Idempotency: reads only.
SELECT
    bucket,
    object_key,
    version_id,
    etag
FROM gov.erasure_rewrite
WHERE plan_id = :plan_id
