-- Purpose: write down, once, that a party has not acknowledged within the last limit.
-- Parameters: at, breach_before. Grain: instruction. Idempotency: one event each.
INSERT INTO gov.downstream_event (instruction_id, at, event)
SELECT
    i.instruction_id,
    :at,
    'breached'
FROM gov.downstream_instruction AS i
INNER JOIN gov.erasure_plan AS p ON i.plan_id = p.plan_id
WHERE
    i.state NOT IN ('acknowledged', 'withdrawn')
    AND coalesce(i.instructed_at, p.database_erased_at) <= :breach_before
    AND NOT EXISTS (
        SELECT 1 FROM gov.downstream_event AS e
        WHERE e.instruction_id = i.instruction_id AND e.event = 'breached'
    )
