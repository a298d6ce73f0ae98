-- Purpose: close a plan: nothing in it changes from here on.
-- Parameters: plan_id, sha256, cases, held, tripped, breaker. Grain: plan. Idempotency: only a plan in building.
UPDATE gov.erasure_plan SET
    state = 'frozen',
    sha256 = :sha256,
    cases = :cases,
    held = :held,
    breaker_tripped = :tripped,
    breaker = CAST(:breaker AS jsonb)
WHERE plan_id = :plan_id AND state = 'building'
