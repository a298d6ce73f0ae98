-- Purpose: one thing that happened to an instruction.
-- Parameters: instruction_id, at, event, detail. Grain: event. Idempotency: none; called once per happening.
INSERT INTO gov.downstream_event (instruction_id, at, event, detail)
VALUES (:instruction_id, :at, :event, :detail)
