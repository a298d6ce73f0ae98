-- Purpose: what one attempt came to. A party that was told stays told; what people closed meanwhile stays closed.
-- Parameters: instruction_id, result, reason, at, ack_sha256, found, next_reminder_at, retry_at. Grain: instruction.
-- Idempotency: the same outcome twice is one.
UPDATE gov.downstream_instruction SET
    state = CASE
        WHEN :result = 'acknowledged' THEN 'acknowledged'
        WHEN :result = 'refused' THEN 'refused'
        WHEN :result = 'sent' AND state IN ('pending', 'undeliverable') THEN 'sent'
        WHEN :result = 'broken' AND state = 'pending' THEN 'undeliverable'
        ELSE state
    END,
    reason = :reason,
    instructed_at = CASE
        WHEN :result IN ('acknowledged', 'sent', 'refused') THEN coalesce(instructed_at, cast(:at AS timestamptz))
        ELSE instructed_at
    END,
    acked_at = CASE WHEN :result = 'acknowledged' THEN coalesce(acked_at, cast(:at AS timestamptz)) END,
    ack_sha256 = cast(:ack_sha256 AS text),
    ack_found = cast(:found AS integer),
    next_attempt_at = CASE
        WHEN :result IN ('acknowledged', 'refused') THEN cast(NULL AS timestamptz)
        WHEN :result = 'sent' THEN cast(:next_reminder_at AS timestamptz)
        WHEN :reason = 'IDENTIFIERS_GONE' THEN cast(NULL AS timestamptz)
        ELSE cast(:retry_at AS timestamptz)
    END
WHERE instruction_id = :instruction_id AND state NOT IN ('acknowledged', 'withdrawn')
