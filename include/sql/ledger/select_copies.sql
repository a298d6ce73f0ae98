-- Purpose: heads of the ledger that were copied, as the database remembers them.
-- Parameters: none.
-- Grain: one row per copy.
-- Idempotency: reads only.
SELECT
    seq,
    hash
FROM gov.ledger_copy
ORDER BY seq, copy_id
