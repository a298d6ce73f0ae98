-- Purpose: what each case left in each bucket, for its certificate.
-- Parameters: plan_id. Grain: case and bucket. Idempotency: written once.
INSERT INTO gov.erasure_asset (plan_id, case_id, asset, method, planned, done)
SELECT
    o.plan_id,
    o.case_id,
    's3://' || o.bucket,
    'OBJECT_VERSIONS',
    count(*),
    coalesce(sum(o.versions), 0) + coalesce(sum(o.markers), 0)
FROM gov.erasure_object AS o
WHERE o.plan_id = :plan_id
GROUP BY o.plan_id, o.case_id, o.bucket
ON CONFLICT (plan_id, case_id, asset, method) DO NOTHING
