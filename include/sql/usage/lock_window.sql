-- Purpose: one run at a time protects or publishes a window; the second waits and finds the work done.
-- Parameters: iso_week.
-- Grain: a lock until the transaction ends.
-- Idempotency: may be taken again in the same transaction.
SELECT PG_ADVISORY_XACT_LOCK(20180516, HASHTEXT(:iso_week))
