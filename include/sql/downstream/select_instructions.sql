-- Purpose: who was told what when. No identifiers.
-- Parameters: everything (boolean: also those that have ended). Grain: instruction. Idempotency: reads only.
SELECT
    instruction_id,
    case_id,
    party,
    kind,
    state,
    reason,
    method,
    attempts,
    created_at,
    instructed_at,
    acked_at,
    next_attempt_at
FROM gov.downstream_instruction
WHERE :everything OR state NOT IN ('acknowledged', 'withdrawn')
ORDER BY created_at, party, instruction_id
