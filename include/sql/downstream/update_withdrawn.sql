-- Purpose: people end an instruction without an answer, and say why.
-- Parameters: instruction_id, reason. Grain: instruction. Idempotency: the same when repeated.
UPDATE gov.downstream_instruction SET
    state = 'withdrawn',
    reason = :reason,
    next_attempt_at = NULL
WHERE instruction_id = :instruction_id
