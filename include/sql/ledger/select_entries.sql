-- Purpose: the ledger in order, to verify or copy it.
-- Parameters: after (entries with a higher sequence number; 0 for all).
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
WHERE seq > :after
ORDER BY seq
