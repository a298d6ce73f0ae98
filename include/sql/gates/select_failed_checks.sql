-- Purpose: checks of a verdict that failed, in the order of the gate.
-- Parameters: gate_result_id.
-- Grain: one row per check.
-- Idempotency: reads only.
SELECT
    c.judged ->> 'id' AS id,
    c.judged ->> 'title' AS title
FROM gov.gate_result AS g
CROSS JOIN LATERAL JSONB_ARRAY_ELEMENTS(g.checks) WITH ORDINALITY AS c (judged, place)
WHERE g.gate_result_id = :gate_result_id AND NOT CAST(c.judged ->> 'success' AS boolean)
ORDER BY c.place
