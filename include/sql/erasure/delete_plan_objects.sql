-- Purpose: forget what a void or sealed plan held in gov.erasure_object: keys of people.
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_object WHERE plan_id = :plan_id
