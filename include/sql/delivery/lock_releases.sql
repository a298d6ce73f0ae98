-- Purpose: what happens to the delivery of a release happens one after the other: preparing, sending, withdrawing.
-- Parameters: releases (text array).
-- Grain: locks until the transaction ends, always taken in the same order.
-- Idempotency: may be taken again in the same transaction.
SELECT pg_advisory_xact_lock(20180517, hashtext(o.release_id))
FROM (SELECT DISTINCT u.release_id FROM unnest(cast(:releases AS text[])) AS u (release_id) ORDER BY u.release_id) AS o
