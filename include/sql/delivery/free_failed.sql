-- Purpose: a mail that failed stands in nobody's way any more: its releases can be queued again.
-- Parameters: release_id.
-- Grain: mails of the release that failed.
-- Idempotency: a mail that did not fail is left alone.
UPDATE gov.delivery_mail SET state = 'needless'
WHERE
    state = 'failed' AND kind = 'LINK'
    AND mail_id IN (SELECT o.mail_id FROM gov.delivery_mail_release AS o WHERE o.release_id = :release_id)
