-- Purpose: one mail to each recipient about all of these releases, except those that a mail is waiting for already.
-- Parameters: releases (text array), kind (LINK or RECALL), at, by.
-- Grain: one row per release that was queued.
-- Idempotency: a release waits in one mail of a kind at a time; one that failed waits for a person.
WITH wanted AS (
    SELECT
        r.release_id,
        r.recipient_id
    FROM gov.release_register AS r
    WHERE
        r.release_id = ANY(CAST(:releases AS text[]))
        AND NOT EXISTS (
            SELECT 1
            FROM gov.delivery_mail AS m
            INNER JOIN gov.delivery_mail_release AS o ON m.mail_id = o.mail_id
            WHERE o.release_id = r.release_id AND m.kind = :kind AND m.state IN ('queued', 'failed')
        )
),

mails AS (
    INSERT INTO gov.delivery_mail (recipient_id, kind, queued_at, queued_by)
    SELECT DISTINCT
        w.recipient_id,
        :kind,
        CAST(:at AS timestamptz),
        :by
    FROM wanted AS w
    RETURNING mail_id, recipient_id
)

INSERT INTO gov.delivery_mail_release (mail_id, release_id)
SELECT
    n.mail_id,
    w.release_id
FROM wanted AS w
INNER JOIN mails AS n ON w.recipient_id = n.recipient_id
RETURNING release_id
