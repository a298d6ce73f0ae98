-- Purpose: a recall that could not be sent goes out again, after a person mended what was wrong.
-- Parameters: release_id.
-- Grain: failed recalls of the release.
-- Idempotency: a recall that waits or was sent is left alone.
UPDATE gov.delivery_mail SET state = 'queued', attempts = 0, fault = NULL
WHERE
    state = 'failed' AND kind = 'RECALL'
    AND mail_id IN (SELECT o.mail_id FROM gov.delivery_mail_release AS o WHERE o.release_id = :release_id)
