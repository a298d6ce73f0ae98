-- Purpose: hash of one entry, to compare it with a copy.
-- Parameters: seq.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT hash
FROM gov.erasure_ledger
WHERE seq = :seq
