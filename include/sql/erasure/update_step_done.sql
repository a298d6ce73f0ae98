-- Purpose: what one step found and did.
-- Parameters: plan_id, step_no, found, deleted, retained, rows_before, rows_after. Grain: step.
-- Idempotency: written in the transaction that does it.
UPDATE gov.erasure_step SET
    found = :found,
    deleted = :deleted,
    retained = :retained,
    rows_before = :rows_before,
    rows_after = :rows_after
WHERE plan_id = :plan_id AND step_no = :step_no
