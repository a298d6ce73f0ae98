-- Purpose: plans in one state, oldest first: this run's, and what a killed run left behind.
-- Parameters: state. Grain: plan. Idempotency: reads only.
SELECT run_id FROM gov.erasure_plan
WHERE state = :state
ORDER BY frozen_at
