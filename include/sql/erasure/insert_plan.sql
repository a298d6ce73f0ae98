-- Purpose: begin a plan.
-- Parameters: plan_id, run_id, at, as_of. Grain: plan. Idempotency: one plan per run that is not void.
INSERT INTO gov.erasure_plan (plan_id, run_id, frozen_at, as_of, state)
VALUES (:plan_id, :run_id, :at, :as_of, 'building')
