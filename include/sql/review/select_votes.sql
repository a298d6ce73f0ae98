-- Purpose: what people have answered about exactly this evidence, in order of time.
-- Parameters: case_id, evidence_hash. Grain: answer. Idempotency: reads only.
SELECT
    person_id,
    decision,
    run_id
FROM gov.case_decision
WHERE case_id = :case_id AND evidence_hash = :evidence_hash
ORDER BY decision_id
