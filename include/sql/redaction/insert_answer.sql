-- Purpose: that a person looked at a place, or what they answered, and how it is known who that is.
-- Parameters: redaction_id, way, person, answer, at. Grain: person and answer. Idempotency: the first time counts.
INSERT INTO gov.redaction_answer (redaction_id, way, person, answer, at)
VALUES (:redaction_id, :way, :person, :answer, :at)
ON CONFLICT (redaction_id, way, person, answer) DO NOTHING
