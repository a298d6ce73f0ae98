-- Purpose: forget whose rows stood in which shared object.
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_rewrite_case WHERE plan_id = :plan_id
