-- Purpose: hold a mail while it is sent: nobody else sends it, and a killed sender lets it go.
-- Parameters: mail_id.
-- Grain: one row or none.
-- Idempotency: reads only.
SELECT
    m.mail_id,
    m.kind,
    m.recipient_id,
    (
        SELECT array_agg(o.release_id ORDER BY o.release_id) FROM gov.delivery_mail_release AS o
        WHERE o.mail_id = m.mail_id
    ) AS releases
FROM gov.delivery_mail AS m
WHERE m.mail_id = :mail_id AND m.state = 'queued'
FOR UPDATE SKIP LOCKED
