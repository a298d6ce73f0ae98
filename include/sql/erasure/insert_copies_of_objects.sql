-- Purpose: the same keys in a bucket that repeats another one.
-- Parameters: plan_id, bucket, copy. Grain: key. Idempotency: a key that is planned already stays as it is.
INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix, copy_of)
SELECT
    o.plan_id,
    o.case_id,
    o.store,
    :copy,
    o.object_key,
    o.is_prefix,
    o.bucket
FROM gov.erasure_object AS o
WHERE o.plan_id = :plan_id AND o.bucket = :bucket
ON CONFLICT DO NOTHING
