-- Purpose: the steps of a plan in the order of execution.
-- Parameters: plan_id. Grain: step. Idempotency: reads only.
SELECT
    step_no,
    table_name,
    action,
    columns,
    planned,
    digest
FROM gov.erasure_step
WHERE plan_id = :plan_id
ORDER BY step_no
