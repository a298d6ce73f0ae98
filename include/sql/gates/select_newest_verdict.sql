-- Purpose: the verdict that counts for a run and a gate.
-- Parameters: run_id, gate.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT
    gate_result_id,
    verdict,
    subject_sha256,
    judged_at,
    expires_at
FROM gov.gate_result
WHERE run_id = :run_id AND gate = :gate
ORDER BY gate_result_id DESC
LIMIT 1
