-- Purpose: the holds over parts of the cases of a plan.
-- Parameters: plan_id. Grain: case and hold. Idempotency: reads only.
SELECT
    p.case_id,
    h.hold_id,
    h.scope
FROM gov.erasure_plan_case AS p
INNER JOIN gov.legal_hold AS h ON h.subject_ref = any(p.subject_refs)
WHERE p.plan_id = :plan_id AND h.released_at IS NULL AND h.scope <> '{}'
ORDER BY p.case_id, h.hold_id
