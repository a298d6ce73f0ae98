-- Purpose: cases of a plan whose subject is a row of somebody else's (a child on a parent's booking).
-- Parameters: plan_id. Grain: one number. Idempotency: reads only.
SELECT count(*) FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id AND c.subject_kind = 'row'
