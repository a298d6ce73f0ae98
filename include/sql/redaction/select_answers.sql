-- Purpose: who gave an answer.
-- Parameters: redaction_id, answer. Grain: person. Idempotency: reads only.
SELECT person FROM gov.redaction_answer
WHERE redaction_id = :redaction_id AND answer = :answer
ORDER BY person
