-- Purpose: a version of a shared object whose lock has ended is gone.
-- Parameters: plan_id, rewrite_no, at. Grain: version. Idempotency: done stays done.
UPDATE gov.erasure_rewrite SET
    state = 'done',
    reason = NULL,
    locked_until = NULL,
    done_at = :at
WHERE plan_id = :plan_id AND rewrite_no = :rewrite_no
