-- Purpose: the verdict that let a plan be certified.
-- Parameters: run_id, gate, subject_sha256. Grain: one row, the newest. Idempotency: reads only.
SELECT
    gate_result_id,
    verdict,
    checks,
    judged_at
FROM gov.gate_result
WHERE run_id = :run_id AND gate = :gate AND subject_sha256 = :subject_sha256
ORDER BY gate_result_id DESC
LIMIT 1
