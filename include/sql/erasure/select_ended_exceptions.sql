-- Purpose: keys of executed plans that a lock kept, and whose lock has ended or may have been lifted.
-- Parameters: now. Grain: key. Idempotency: reads only.
SELECT
    o.plan_id,
    o.object_no,
    o.case_id,
    o.bucket,
    o.object_key,
    o.is_prefix,
    p.sha256
FROM gov.erasure_object AS o
INNER JOIN gov.erasure_plan AS p ON o.plan_id = p.plan_id
WHERE
    o.state = 'exception' AND p.state IN ('objects_erased', 'verified', 'certified')
    AND (o.locked_until IS NULL OR o.locked_until <= :now)
ORDER BY o.bucket, o.object_key
