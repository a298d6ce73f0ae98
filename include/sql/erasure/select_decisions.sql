-- Purpose: the cases of a plan that people decided, and whose person was recorded as having died.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
SELECT
    c.case_id,
    'DIED' = ANY(c.flags) AS died
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id AND c.decision IS NOT NULL
