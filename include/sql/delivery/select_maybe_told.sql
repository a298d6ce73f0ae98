-- Purpose: whether a recipient may have got the link of a release: a mail that was sent, or may have been when its
-- sender died.
-- Parameters: release_id.
-- Grain: one row.
-- Idempotency: reads only.
SELECT EXISTS(
    SELECT 1
    FROM gov.delivery_mail AS m
    INNER JOIN gov.delivery_mail_release AS o ON m.mail_id = o.mail_id
    WHERE o.release_id = :release_id AND m.kind = 'LINK' AND m.attempts > 0
) AS maybe
