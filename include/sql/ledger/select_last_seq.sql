-- Purpose: number of the last entry of the ledger.
-- Parameters: none. Grain: one row; 0 for an empty ledger. Idempotency: reads only.
SELECT coalesce(max(seq), 0) FROM gov.erasure_ledger
