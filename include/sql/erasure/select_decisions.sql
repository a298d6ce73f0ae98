-- Purpose: whether a rule or people decided each case of a plan.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
SELECT
    c.case_id,
    c.decision IS NOT NULL AS by_people
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id
