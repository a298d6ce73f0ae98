-- Purpose: everything that later sweeps look for in order, to copy it.
-- Parameters: none.
-- Grain: one row per reference.
-- Idempotency: reads only.
SELECT
    sweep_id,
    case_id,
    kind,
    hmac,
    key_id,
    until
FROM gov.sweep_identifier
ORDER BY sweep_id
