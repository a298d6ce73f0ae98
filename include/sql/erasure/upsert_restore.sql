-- Purpose: begin a replay, or count one more attempt of the one that was begun.
-- Parameters: restore_id, source, last, head, at. Grain: restore. Idempotency: one unfinished replay at a time.
WITH again AS (
    UPDATE gov.restore SET attempts = attempts + 1, head_seq = :head, state = 'replaying'
    WHERE state <> 'ready'
    RETURNING restore_id, attempts
),

made AS (
    INSERT INTO gov.restore (restore_id, source, state, found_at_seq, head_seq, started_at)
    SELECT
        cast(:restore_id AS uuid),
        :source,
        'replaying',
        :last,
        :head,
        :at
    WHERE NOT EXISTS (SELECT 1 FROM again)
    RETURNING restore_id, attempts
)

SELECT
    restore_id,
    attempts
FROM again
UNION ALL
SELECT
    restore_id,
    attempts
FROM made
