-- Purpose: what each case left in each table, for its certificate: the frozen rows of steps that found all of theirs.
-- Parameters: plan_id. Grain: case, table and method. Idempotency: written once, while the frozen rows still stand.
INSERT INTO gov.erasure_asset (plan_id, case_id, asset, method, planned, done)
SELECT
    r.plan_id,
    r.case_id,
    s.table_name,
    s.action,
    count(*),
    count(*) FILTER (WHERE s.found = s.planned)
FROM gov.erasure_row AS r
INNER JOIN gov.erasure_step AS s ON r.plan_id = s.plan_id AND r.step_no = s.step_no
WHERE r.plan_id = :plan_id
GROUP BY r.plan_id, r.case_id, s.table_name, s.action
ON CONFLICT (plan_id, case_id, asset, method) DO NOTHING
