-- Purpose: forget what a void or sealed plan held in gov.erasure_row: keys of people.
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_row WHERE plan_id = :plan_id
