-- Purpose: what people answered about a case, in order of time. Parameters: case_id. Grain: answer.
-- Idempotency: reads only.
SELECT
    decision,
    reason,
    person_name,
    person_id,
    decided_at
FROM gov.case_decision
WHERE case_id = :case_id
ORDER BY decision_id
