-- Purpose: parties that took an instruction and have not answered in time are reminded.
-- Parameters: at, chase_before. Grain: instruction. Idempotency: each is chased once.
WITH late AS (
    UPDATE gov.downstream_instruction SET
        state = 'chased',
        next_attempt_at = :at
    WHERE state = 'sent' AND instructed_at <= :chase_before
    RETURNING instruction_id
)

INSERT INTO gov.downstream_event (instruction_id, at, event)
SELECT
    instruction_id,
    :at,
    'chased'
FROM late
