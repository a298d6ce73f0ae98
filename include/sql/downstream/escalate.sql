-- Purpose: what is open for too long goes to people, whether the party is silent or was never reached.
-- Parameters: at, escalate_before. Grain: instruction. Idempotency: each is escalated once.
WITH late AS (
    UPDATE gov.downstream_instruction AS i SET
        state = 'escalated',
        next_attempt_at = :at
    FROM gov.erasure_plan AS p
    WHERE
        p.plan_id = i.plan_id
        AND i.state IN ('pending', 'sent', 'chased', 'undeliverable')
        AND coalesce(i.instructed_at, p.database_erased_at) <= :escalate_before
    RETURNING i.instruction_id
)

INSERT INTO gov.downstream_event (instruction_id, at, event)
SELECT
    instruction_id,
    :at,
    'escalated'
FROM late
