-- Purpose: move the cases of a plan to their next state.
-- Parameters: plan_id, state. Grain: case. Idempotency: sets what is true.
UPDATE gov.minor_case AS c SET state = :state
FROM gov.erasure_plan_case AS p
WHERE p.plan_id = :plan_id AND c.case_id = p.case_id
