-- Purpose: record one person's answer.
-- Parameters: every column; step is counted here. Grain: answer. Idempotency: appends; the caller holds the case.
INSERT INTO gov.case_decision (
    case_id, evidence_hash, step, decision, reason, person_id, person_name, run_id, decided_at
)
SELECT
    :case_id,
    :evidence_hash,
    count(*) + 1,
    :decision,
    :reason,
    :person_id,
    :person_name,
    :run_id,
    :at
FROM gov.case_decision
WHERE case_id = :case_id AND evidence_hash = :evidence_hash
