-- Purpose: mails that wait to be sent, oldest first.
-- Parameters: most.
-- Grain: mail.
-- Idempotency: reads only.
SELECT m.mail_id
FROM gov.delivery_mail AS m
WHERE m.state = 'queued'
ORDER BY m.queued_at, m.mail_id
LIMIT :most
