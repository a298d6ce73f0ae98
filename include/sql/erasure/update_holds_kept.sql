-- Purpose: the cells that a plan keeps were copied, all of them.
-- Parameters: plan_id. Grain: case, hold and step. Idempotency: written in the transaction that does it.
UPDATE gov.erasure_hold SET kept = planned
WHERE plan_id = :plan_id
