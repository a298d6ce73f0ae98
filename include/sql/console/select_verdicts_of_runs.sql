-- Purpose: what the gates of some runs say now: the newest verdict of each gate in each run.
-- Parameters: runs (text array). Grain: run and gate. Idempotency: reads only.
SELECT DISTINCT ON (run_id, gate)
    run_id,
    gate,
    gate_result_id,
    verdict,
    checks,
    judged_at,
    expires_at
FROM gov.gate_result
WHERE run_id = any(cast(:runs AS text[]))
ORDER BY run_id ASC, gate ASC, gate_result_id DESC
