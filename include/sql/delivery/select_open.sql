-- Purpose: releases that were sent and that nobody has fetched or confirmed since: when their delivery was opened (the
-- first mail since it last expired), when the newest link ends, and whether another mail is under way.
-- Parameters: none.
-- Grain: one row per release.
-- Idempotency: reads only.
SELECT
    s.release_id,
    min(s.at) AS opened_at,
    max(s.expires_at) AS link_ends_at,
    exists(
        SELECT 1
        FROM gov.delivery_mail AS m
        INNER JOIN gov.delivery_mail_release AS o ON m.mail_id = o.mail_id
        WHERE o.release_id = s.release_id AND m.kind = 'LINK' AND m.state IN ('queued', 'failed')
    ) AS under_way
FROM gov.release_delivery AS s
WHERE
    s.kind = 'sent'
    AND NOT EXISTS (
        SELECT 1 FROM gov.release_delivery AS e
        WHERE e.release_id = s.release_id AND e.kind = 'expired' AND e.release_delivery_id > s.release_delivery_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM gov.release_delivery AS a
        WHERE a.release_id = s.release_id AND a.kind IN ('receipt', 'downloaded', 'recalled')
    )
    AND NOT EXISTS (
        SELECT 1 FROM gov.release_event AS w
        WHERE w.release_id = s.release_id AND w.kind = 'withdrawn'
    )
    AND NOT EXISTS (SELECT 1 FROM gov.release_register AS c WHERE c.supersedes = s.release_id)
GROUP BY s.release_id
ORDER BY s.release_id
