-- Purpose: one writer at a time compares the declarations with their newest rows.
-- Parameters: none.
-- Grain: the transaction.
-- Idempotency: held until the transaction ends.
SELECT pg_advisory_xact_lock(20180515, 17)
