-- Purpose: what each case left in shared objects of each bucket, for its certificate. Rows count once per version.
-- Parameters: plan_id. Grain: case and bucket. Idempotency: written once.
INSERT INTO gov.erasure_asset (plan_id, case_id, asset, method, planned, done)
SELECT
    r.plan_id,
    c.case_id,
    's3://' || r.bucket,
    'OBJECT_ROWS',
    sum(c.rows_found),
    coalesce(sum(c.rows_found) FILTER (WHERE r.state = 'done'), 0)
FROM gov.erasure_rewrite AS r
INNER JOIN gov.erasure_rewrite_case AS c ON r.plan_id = c.plan_id AND r.rewrite_no = c.rewrite_no
WHERE r.plan_id = :plan_id
GROUP BY r.plan_id, c.case_id, r.bucket
ON CONFLICT (plan_id, case_id, asset, method) DO NOTHING
