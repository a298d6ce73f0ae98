-- Purpose: forget the shared objects of plans that were never carried out.
-- Parameters: none. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_rewrite AS r
USING gov.erasure_plan AS p
WHERE r.plan_id = p.plan_id AND p.state = 'void'
