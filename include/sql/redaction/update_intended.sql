-- Purpose: confirmed proposals are about to be carried out: written ahead before a text is touched. The answers are
-- counted once more: a state that nobody's answers stand behind carries nothing out.
-- Parameters: at, people. Grain: proposal. Idempotency: once.
UPDATE gov.redaction AS r SET
    state = 'intended',
    intent_at = :at
WHERE
    r.state = 'confirmed'
    AND EXISTS (
        SELECT 1 FROM gov.redaction_answer AS a
        WHERE a.redaction_id = r.redaction_id AND a.answer = 'confirmed' AND a.way <> 'given'
        GROUP BY a.way
        HAVING count(*) >= :people
    )
RETURNING r.redaction_id, r.case_id, r.table_name, r.column_name, r.firsts, r.lasts, r.text_sha256
