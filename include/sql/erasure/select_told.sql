-- Purpose: who was told about each case, and what they answered.
-- Parameters: plan_id. Grain: instruction. Idempotency: reads only.
SELECT
    case_id,
    instruction_id,
    party,
    kind,
    state,
    reason,
    method,
    instructed_at,
    acked_at,
    ack_found
FROM gov.downstream_instruction
WHERE plan_id = :plan_id
ORDER BY case_id, party
