-- Purpose: forget what a void or sealed plan held in gov.erasure_key: keys of people.
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_key WHERE plan_id = :plan_id
