-- Purpose: forget what the closed cases stood on.
-- Parameters: plan_id. Grain: signal. Idempotency: forgotten is forgotten.
DELETE FROM gov.minor_signal AS s USING gov.erasure_plan_case AS p
WHERE p.plan_id = :plan_id AND s.case_id = p.case_id
