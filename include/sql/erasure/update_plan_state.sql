-- Purpose: a plan has reached its next state.
-- Parameters: plan_id, state, before, at. Grain: plan. Idempotency: only from the state before.
UPDATE gov.erasure_plan SET
    state = :state,
    objects_erased_at = CASE WHEN :state = 'objects_erased' THEN CAST(:at AS timestamptz) ELSE objects_erased_at END,
    verified_at = CASE WHEN :state = 'verified' THEN CAST(:at AS timestamptz) ELSE verified_at END
WHERE plan_id = :plan_id AND state = :before
