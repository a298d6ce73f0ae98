-- Purpose: what a plan keeps because of holds over parts of its cases.
-- Parameters: plan_id. Grain: case, hold and step. Idempotency: reads only.
SELECT
    k.case_id,
    k.hold_id,
    k.table_name,
    k.columns,
    k.planned,
    h.basis,
    h.review_on
FROM gov.erasure_hold AS k
INNER JOIN gov.legal_hold AS h ON k.hold_id = h.hold_id
WHERE k.plan_id = :plan_id
ORDER BY k.case_id, k.hold_id, k.step_no
