-- Purpose: what a plan could not erase in object stores, and until when; a case of NULL concerns every case.
-- Parameters: plan_id. Grain: case, bucket, reason and date. Idempotency: reads only.
SELECT
    case_id,
    's3://' || bucket AS asset,
    reason,
    locked_until,
    count(*) AS objects
FROM gov.erasure_object
WHERE plan_id = :plan_id AND state = 'exception'
GROUP BY case_id, bucket, reason, locked_until
UNION ALL
SELECT
    c.case_id,
    's3://' || r.bucket,
    r.reason,
    r.locked_until,
    count(*)
FROM gov.erasure_rewrite AS r
LEFT JOIN gov.erasure_rewrite_case AS c ON r.plan_id = c.plan_id AND r.rewrite_no = c.rewrite_no
WHERE r.plan_id = :plan_id AND r.state = 'exception'
GROUP BY c.case_id, r.bucket, r.reason, r.locked_until
ORDER BY asset, reason, locked_until
