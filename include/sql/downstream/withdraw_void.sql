-- Purpose: instructions of plans that were never carried out tell nobody anything.
-- Parameters: at. Grain: instruction. Idempotency: withdrawn once.
WITH gone AS (
    UPDATE gov.downstream_instruction AS i SET
        state = 'withdrawn',
        reason = 'PLAN_VOID',
        next_attempt_at = NULL
    FROM gov.erasure_plan AS p
    WHERE
        p.plan_id = i.plan_id
        AND p.state = 'void'
        AND i.state <> 'withdrawn'
    RETURNING i.instruction_id
)

INSERT INTO gov.downstream_event (instruction_id, at, event, detail)
SELECT
    instruction_id,
    :at,
    'withdrawn',
    'PLAN_VOID'
FROM gone
