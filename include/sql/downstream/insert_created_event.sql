-- Purpose: the first event of an instruction.
-- Parameters: instruction_id, reason, at. Grain: instruction. Idempotency: only when it has none yet.
INSERT INTO gov.downstream_event (instruction_id, at, event, detail)
SELECT
    cast(:instruction_id AS uuid),
    cast(:at AS timestamptz),
    'created',
    cast(:reason AS text)
WHERE NOT EXISTS (
    SELECT 1 FROM gov.downstream_event AS e
    WHERE e.instruction_id = cast(:instruction_id AS uuid)
)
