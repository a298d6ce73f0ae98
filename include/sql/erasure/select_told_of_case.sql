-- Purpose: who was told about one case, what they answered, and when that last moved.
-- Parameters: case_id, plan_id. Grain: instruction. Idempotency: reads only.
SELECT
    i.instruction_id,
    i.party,
    i.kind,
    i.state,
    i.reason,
    i.method,
    i.instructed_at,
    i.acked_at,
    i.ack_found,
    (
        SELECT max(e.at) FROM gov.downstream_event AS e
        WHERE e.instruction_id = i.instruction_id
    ) AS moved_at
FROM gov.downstream_instruction AS i
WHERE i.case_id = :case_id AND i.plan_id = :plan_id
ORDER BY i.party
