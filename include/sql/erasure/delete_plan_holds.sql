-- Purpose: forget what a void plan would have kept because of holds.
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_hold WHERE plan_id = :plan_id
