-- Purpose: one step of a plan.
-- Parameters: plan_id, step_no, table_name, action, columns, key_columns, why. Grain: step.
-- Idempotency: one plan is filled once.
INSERT INTO gov.erasure_step (plan_id, step_no, table_name, action, columns, key_columns, why)
VALUES (
    :plan_id, :step_no, :table_name, :action, CAST(:columns AS text[]), CAST(:key_columns AS text[]), :why
)
