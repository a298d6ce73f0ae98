-- Purpose: the words of a message: what was claimed, with the name of the gate.
-- Parameters: alerts (bigint[]). Grain: alert, oldest first. Idempotency: reads only.
SELECT
    a.alert_id,
    a.kind,
    a.dag_id,
    a.run_id,
    a.task,
    a.gate_result_id,
    g.gate,
    a.codes,
    a.times,
    a.noted_at
FROM gov.operator_alert AS a
LEFT JOIN gov.gate_result AS g ON a.gate_result_id = g.gate_result_id
WHERE a.alert_id = any(cast(:alerts AS bigint[]))
ORDER BY a.alert_id
