-- Purpose: the database part of a plan is done.
-- Parameters: plan_id, at, control. Grain: plan. Idempotency: only from frozen.
UPDATE gov.erasure_plan SET state = 'database_erased', database_erased_at = :at, control = CAST(:control AS jsonb)
WHERE plan_id = :plan_id AND state = 'frozen'
