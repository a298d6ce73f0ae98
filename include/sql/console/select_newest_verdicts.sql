-- Purpose: the newest verdicts, for the list page.
-- Parameters: most (how many at most).
-- Grain: one row per verdict, newest first.
-- Idempotency: reads only.
SELECT
    gate_result_id,
    gate,
    run_id,
    verdict,
    checks,
    judged_at,
    expires_at
FROM gov.gate_result
ORDER BY gate_result_id DESC
LIMIT :most
