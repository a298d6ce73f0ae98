-- Purpose: what people decided in one run, in order. Parameters: run_id. Grain: decision. Idempotency: reads only.
SELECT
    what,
    approver,
    approver_name,
    decision,
    decided_at
FROM gov.approval
WHERE run_id = :run_id
ORDER BY approval_id
