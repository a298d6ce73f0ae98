-- Purpose: what a plan keeps of one table because of one hold.
-- Parameters: plan_id, case_id, hold_id, step_no, table_name, columns. Grain: case, hold and step.
-- Idempotency: one plan is filled once.
INSERT INTO gov.erasure_hold (plan_id, case_id, hold_id, step_no, table_name, columns, planned)
SELECT
    :plan_id,
    :case_id,
    :hold_id,
    :step_no,
    :table_name,
    :columns,
    count(*)
FROM gov.erasure_row AS r
WHERE r.plan_id = :plan_id AND r.case_id = :case_id AND r.step_no = :step_no
RETURNING planned
