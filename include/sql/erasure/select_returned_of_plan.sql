-- Purpose: planned cases about returned data, and whether the ledger says that the first case was erased.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
SELECT
    c.case_id,
    c.subject_table,
    c.subject_key,
    c.returned_of,
    EXISTS(
        SELECT 1 FROM gov.erasure_ledger AS l
        WHERE l.case_id = c.returned_of AND l.kind = 'erased'
    ) AS erased
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id AND c.returned_of IS NOT NULL
