-- Purpose: the ledger in order, to verify or copy it.
-- Parameters: since (first sequence number to read; the lowest bigint reads all, also what was smuggled in).
-- Grain: one row per entry.
-- Idempotency: reads only.
SELECT
    seq,
    at,
    kind,
    case_id,
    payload,
    prev_hash,
    hash
FROM gov.erasure_ledger
WHERE seq >= :since
ORDER BY seq
