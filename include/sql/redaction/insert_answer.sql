-- Purpose: that a person looked at a place, or what they answered.
-- Parameters: redaction_id, person, answer, at. Grain: person and answer. Idempotency: the first time counts.
INSERT INTO gov.redaction_answer (redaction_id, person, answer, at)
VALUES (:redaction_id, :person, :answer, :at)
ON CONFLICT (redaction_id, person, answer) DO NOTHING
