-- Purpose: the plan of a run that is not void.
-- Parameters: run_id. Grain: plan. Idempotency: reads only.
SELECT
    plan_id,
    run_id,
    state,
    sha256,
    as_of,
    cases,
    held,
    breaker_tripped,
    breaker
FROM gov.erasure_plan
WHERE run_id = :run_id AND state <> 'void'
