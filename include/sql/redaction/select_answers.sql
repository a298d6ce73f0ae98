-- Purpose: who gave an answer, and how it is known who that is.
-- Parameters: redaction_id, answer. Grain: person. Idempotency: reads only.
SELECT
    way,
    person
FROM gov.redaction_answer
WHERE redaction_id = :redaction_id AND answer = :answer
ORDER BY at, way, person
