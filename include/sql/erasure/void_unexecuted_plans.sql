-- Purpose: a plan that was never carried out is void; its cases are planned anew.
-- Parameters: none. Grain: plan. Idempotency: void stays void.
UPDATE gov.erasure_plan SET state = 'void' WHERE state IN ('building', 'frozen')
RETURNING plan_id
