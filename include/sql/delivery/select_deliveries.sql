-- Purpose: releases with the state of their delivery, for people.
-- Parameters: recipient (NULL: all), open_only.
-- Grain: one row per release, the newest period first.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.recipient_id,
    r.product,
    r.period_key,
    r.released_at,
    n.kind,
    n.at,
    n.reason,
    EXISTS(
        SELECT 1 FROM gov.release_event AS w
        WHERE w.release_id = r.release_id AND w.kind = 'withdrawn'
    ) AS withdrawn,
    EXISTS(SELECT 1 FROM gov.release_register AS c WHERE c.supersedes = r.release_id) AS superseded
FROM gov.release_register AS r
LEFT JOIN LATERAL (
    SELECT
        d.kind,
        d.at,
        d.reason
    FROM gov.release_delivery AS d
    WHERE d.release_id = r.release_id
    ORDER BY d.release_delivery_id DESC
    LIMIT 1
) AS n ON TRUE
WHERE
    (CAST(:recipient AS text) IS NULL OR r.recipient_id = :recipient)
    AND (NOT :open_only OR n.kind IS NULL OR n.kind IN ('prepared', 'sent', 'blocked', 'expired'))
ORDER BY r.window_end DESC, r.period_key DESC, r.recipient_id ASC, r.product ASC, r.release_id ASC
