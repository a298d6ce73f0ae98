-- Purpose: a party answered outside its webhook.
-- Parameters: instruction_id, at, ack_sha256. Grain: instruction. Idempotency: the first time counts.
UPDATE gov.downstream_instruction SET
    state = 'acknowledged',
    reason = 'BY_HAND',
    method = coalesce(method, 'by_hand'),
    instructed_at = coalesce(instructed_at, :at),
    acked_at = coalesce(acked_at, :at),
    ack_sha256 = :ack_sha256,
    next_attempt_at = NULL
WHERE instruction_id = :instruction_id
