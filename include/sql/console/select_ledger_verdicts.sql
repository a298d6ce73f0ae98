-- Purpose: when a gate last verified the whole chain of the ledger, and whether it held.
-- Parameters: gates (text array), check_id. Grain: at most one row. Idempotency: reads only.
WITH named AS (
    SELECT unnest(cast(:gates AS text[])) AS gate
)

SELECT
    g.gate_result_id,
    g.gate,
    g.judged_at,
    (
        SELECT bool_and(c.value ->> 'success' = 'true')
        FROM jsonb_array_elements(g.checks) AS c (value) WHERE c.value ->> 'id' = :check_id
    ) AS holds
FROM named AS n
CROSS JOIN
    LATERAL (
        SELECT
            r.gate_result_id,
            r.gate,
            r.judged_at,
            r.checks
        FROM gov.gate_result AS r
        WHERE r.gate = n.gate
        ORDER BY r.gate_result_id DESC
        LIMIT 1
    ) AS g
ORDER BY g.gate_result_id DESC
LIMIT 1
