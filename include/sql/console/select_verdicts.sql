-- Purpose: verdicts, newest first, by key.
-- Parameters: gate, verdict (NULL: all), gate_result_id (NULL: from the newest), most. Grain: verdict.
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
WHERE
    gate_result_id < coalesce(cast(:gate_result_id AS bigint), 9223372036854775807)
    AND (cast(:gate AS text) IS NULL OR gate = :gate)
    AND (cast(:verdict AS text) IS NULL OR verdict = :verdict)
ORDER BY gate_result_id DESC
LIMIT :most
