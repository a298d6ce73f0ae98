-- Purpose: who was told about one case and what they answered. Parameters: case_id. Grain: instruction.
-- Idempotency: reads only.
SELECT
    party,
    kind,
    state,
    reason,
    created_at,
    instructed_at,
    acked_at
FROM gov.downstream_instruction
WHERE case_id = :case_id
ORDER BY party, created_at
