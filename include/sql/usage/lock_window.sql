-- Purpose: one run at a time protects or publishes a quarter and what is in it; the second waits and finds the work
-- done. Masters of a quarter need those of its weeks, so a week alone would not do.
-- Parameters: period_key of the ISO year.
-- Grain: a lock until the transaction ends.
-- Idempotency: may be taken again in the same transaction.
SELECT PG_ADVISORY_XACT_LOCK(20180516, HASHTEXT(:period_key))
