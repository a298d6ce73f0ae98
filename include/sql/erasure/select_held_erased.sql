-- Purpose: what holds kept of one case and was erased when they ended, as the ledger says it.
-- Parameters: case_id. Grain: hold. Idempotency: reads only.
SELECT
    CAST(payload AS jsonb) ->> 'hold' AS hold,
    CAST(payload AS jsonb) ->> 'rows' AS records,
    at
FROM gov.erasure_ledger
WHERE case_id = :case_id AND kind = 'held_erased'
ORDER BY seq
