-- Purpose: how many rows each step of a plan holds.
-- Parameters: plan_id. Grain: step. Idempotency: sets what is frozen.
UPDATE gov.erasure_step AS s SET
    planned = (
        SELECT count(*) FROM gov.erasure_row AS r
        WHERE r.plan_id = s.plan_id AND r.step_no = s.step_no
    )
WHERE s.plan_id = :plan_id
