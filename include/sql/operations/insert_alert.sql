-- Purpose: note something that people should know.
-- Parameters: kind, dag_id, run_id, task, gate_result_id (or NULL), codes (text[]), at.
-- Grain: one row; returns its id. Idempotency: none; repeat_alert is asked first.
INSERT INTO gov.operator_alert (kind, dag_id, run_id, task, gate_result_id, codes, noted_at, last_at)
VALUES (:kind, :dag_id, :run_id, :task, :gate_result_id, cast(:codes AS text[]), :at, :at)
RETURNING alert_id
