-- Purpose: every gate with its newest verdict, found by jumping along the index from one gate to the next.
-- Parameters: most. Grain: gate. Idempotency: reads only.
WITH RECURSIVE gate AS (
    (SELECT g.gate FROM gov.gate_result AS g ORDER BY g.gate LIMIT 1)
    UNION ALL
    SELECT (SELECT g.gate FROM gov.gate_result AS g WHERE g.gate > gate.gate ORDER BY g.gate LIMIT 1)
    FROM gate
    WHERE gate.gate IS NOT NULL
)

SELECT
    n.gate,
    n.gate_result_id,
    n.verdict,
    n.judged_at
FROM gate
CROSS JOIN
    LATERAL (
        SELECT
            r.gate,
            r.gate_result_id,
            r.verdict,
            r.judged_at
        FROM gov.gate_result AS r
        WHERE r.gate = gate.gate
        ORDER BY r.gate_result_id DESC
        LIMIT 1
    ) AS n
ORDER BY n.gate
LIMIT :most
