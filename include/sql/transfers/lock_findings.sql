-- Purpose: one run at a time publishes findings.
-- Parameters: none.
-- Grain: the transaction.
-- Idempotency: held until the transaction ends.
SELECT pg_advisory_xact_lock(20180515, 4)
