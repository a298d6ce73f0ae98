-- Purpose: withdrawn and corrected releases whose delivery was prepared and is not known to be gone.
-- Parameters: none.
-- Grain: one row per release.
-- Idempotency: reads only.
SELECT
    p.release_id,
    r.recipient_id
FROM gov.release_delivery AS p
INNER JOIN gov.release_register AS r ON p.release_id = r.release_id
WHERE
    p.kind = 'prepared'
    AND (
        EXISTS (
            SELECT 1 FROM gov.release_event AS w
            WHERE w.release_id = p.release_id AND w.kind = 'withdrawn'
        )
        OR EXISTS (SELECT 1 FROM gov.release_register AS c WHERE c.supersedes = p.release_id)
    )
    AND NOT EXISTS (
        SELECT 1 FROM gov.release_delivery AS g
        WHERE g.release_id = p.release_id AND g.kind = 'recalled'
    )
ORDER BY p.release_id
