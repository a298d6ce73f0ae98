-- Purpose: who looked at a place and who answered what, and how it is known who that is.
-- Parameters: redaction_id. Grain: person and answer. Idempotency: reads only.
SELECT
    way,
    person,
    answer
FROM gov.redaction_answer
WHERE redaction_id = :redaction_id
ORDER BY at, way, person, answer
