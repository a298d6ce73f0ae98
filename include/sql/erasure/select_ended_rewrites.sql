-- Purpose: older versions of shared objects that a lock kept, and whose lock has ended or may have been lifted.
-- Parameters: now. Grain: version. Idempotency: reads only.
SELECT
    w.plan_id,
    w.rewrite_no,
    w.bucket,
    w.object_key,
    w.version_id,
    p.sha256
FROM gov.erasure_rewrite AS w
INNER JOIN gov.erasure_plan AS p ON w.plan_id = p.plan_id
WHERE
    w.state = 'exception' AND w.reason IN ('LOCKED', 'LEGAL_HOLD') AND p.state = 'certified'
    AND (w.locked_until IS NULL OR w.locked_until <= :now)
ORDER BY w.bucket, w.object_key, w.version_id
