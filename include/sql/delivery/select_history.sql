-- Purpose: what happened to one release and its delivery, in order, and the mails about it as they stand now.
-- Parameters: release_id.
-- Grain: one row per event.
-- Idempotency: reads only.
SELECT
    e.at,
    e.kind,
    e.reason,
    e.run_id AS noted_by,
    '' AS said_by,
    CAST(NULL AS timestamptz) AS expires_at
FROM gov.release_event AS e
WHERE e.release_id = :release_id
UNION ALL
SELECT
    d.at,
    d.kind,
    d.reason,
    d.run_id AS noted_by,
    d.said_by,
    d.expires_at
FROM gov.release_delivery AS d
WHERE d.release_id = :release_id
UNION ALL
SELECT
    COALESCE(m.sent_at, m.queued_at) AS at,
    'mail' AS kind,
    m.kind || ' ' || m.state || COALESCE(' ' || m.fault, '') AS reason,
    m.queued_by AS noted_by,
    '' AS said_by,
    CAST(NULL AS timestamptz) AS expires_at
FROM gov.delivery_mail AS m
INNER JOIN gov.delivery_mail_release AS o ON m.mail_id = o.mail_id
WHERE o.release_id = :release_id
ORDER BY at, kind
