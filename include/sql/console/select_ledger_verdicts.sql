-- Purpose: when a gate last verified the whole chain of the ledger, and whether it held.
-- Parameters: gates (text array), check_id. Grain: at most one row. Idempotency: reads only.
SELECT
    g.gate_result_id,
    g.gate,
    g.judged_at,
    c.value ->> 'success' = 'true' AS holds
FROM unnest(CAST(:gates AS text [])) AS n (gate)
CROSS JOIN LATERAL (
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
CROSS JOIN LATERAL jsonb_array_elements(g.checks) AS c (value)
WHERE c.value ->> 'id' = :check_id
ORDER BY g.gate_result_id DESC
LIMIT 1
