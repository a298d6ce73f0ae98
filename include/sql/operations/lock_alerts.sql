-- Purpose: one process at a time decides what is noted and who is told, so that a storm becomes one message.
-- Parameters: none. Grain: the transaction's lock. Idempotency: a lock held twice is held.
SELECT pg_advisory_xact_lock(20180515, 21)
