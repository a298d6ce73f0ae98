-- Purpose: forget what a void or sealed plan held in gov.erasure_object: keys of people. What a lock keeps stays named
-- until the lock has ended: without its key nobody could erase it then. (A void plan has no such key.)
-- Parameters: plan_id. Grain: plan. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_object WHERE plan_id = :plan_id AND state <> 'exception'
