-- Purpose: figures of the gate on deliveries (E-16).
-- Parameters: silent_before, mail_before, recent (times), ended (text array of reasons that no one here can mend).
-- Grain: one row.
-- Idempotency: reads only.
WITH newest AS (
    SELECT DISTINCT ON (d.release_id)
        d.release_id,
        d.kind,
        d.reason,
        d.at
    FROM gov.release_delivery AS d
    WHERE d.kind IN ('prepared', 'sent', 'blocked', 'expired')
    ORDER BY d.release_id ASC, d.release_delivery_id DESC
),

answered AS (
    SELECT DISTINCT d.release_id
    FROM gov.release_delivery AS d
    WHERE d.kind IN ('receipt', 'downloaded')
),

taken_back AS (
    SELECT w.release_id FROM gov.release_event AS w WHERE w.kind = 'withdrawn'
    UNION DISTINCT
    SELECT c.supersedes AS release_id FROM gov.release_register AS c WHERE c.supersedes IS NOT NULL
),

opened AS (
    SELECT
        s.release_id,
        min(s.at) AS at
    FROM gov.release_delivery AS s
    WHERE
        s.kind = 'sent'
        AND NOT EXISTS (
            SELECT 1 FROM gov.release_delivery AS e
            WHERE e.release_id = s.release_id AND e.kind = 'expired' AND e.release_delivery_id > s.release_delivery_id
        )
    GROUP BY s.release_id
)

SELECT
    (SELECT count(*) FROM gov.release_register) AS releases,
    (
        SELECT count(*) FROM opened AS o
        WHERE
            o.at <= :silent_before
            AND NOT EXISTS (SELECT 1 FROM answered AS a WHERE a.release_id = o.release_id)
            AND NOT EXISTS (SELECT 1 FROM taken_back AS w WHERE w.release_id = o.release_id)
    ) AS silent,
    (
        SELECT count(*) FROM newest AS n
        WHERE
            n.kind = 'expired'
            AND NOT EXISTS (SELECT 1 FROM answered AS a WHERE a.release_id = n.release_id)
            AND NOT EXISTS (SELECT 1 FROM taken_back AS w WHERE w.release_id = n.release_id)
    ) AS never_fetched,
    (
        SELECT count(*) FROM newest AS n
        WHERE
            n.kind = 'blocked' AND NOT n.reason = any(cast(:ended AS text[]))
            AND NOT EXISTS (SELECT 1 FROM taken_back AS w WHERE w.release_id = n.release_id)
    ) AS blocked,
    (
        SELECT count(*) FROM newest AS n
        WHERE n.kind = 'blocked' AND n.reason = any(cast(:ended AS text[])) AND n.at > :recent
    ) AS blocked_ended,
    (
        SELECT count(*) FROM gov.delivery_mail AS m
        WHERE
            (m.state = 'queued' AND m.queued_at <= :mail_before)
            OR (
                m.state = 'failed'
                AND EXISTS (
                    SELECT 1 FROM gov.delivery_mail_release AS o
                    WHERE
                        o.mail_id = m.mail_id
                        AND NOT EXISTS (
                            SELECT 1 FROM gov.release_delivery AS d
                            WHERE
                                d.release_id = o.release_id AND d.at >= m.queued_at
                                AND (d.kind = 'receipt' OR (m.kind = 'LINK' AND d.kind IN ('sent', 'downloaded')))
                        )
                        AND NOT (
                            m.kind = 'LINK'
                            AND EXISTS (SELECT 1 FROM taken_back AS w WHERE w.release_id = o.release_id)
                        )
                )
            )
    ) AS unsent,
    (
        SELECT count(*) FROM taken_back AS w
        INNER JOIN gov.release_delivery AS p ON w.release_id = p.release_id AND p.kind = 'prepared'
        WHERE
            NOT EXISTS (
                SELECT 1 FROM gov.release_delivery AS g
                WHERE g.release_id = w.release_id AND g.kind = 'recalled'
            )
    ) AS not_recalled,
    (
        SELECT count(*) FROM gov.release_delivery AS d
        WHERE d.kind = 'downloaded' AND d.reason = 'AFTER_WITHDRAWAL' AND d.at > :recent
    ) AS after_withdrawal,
    (
        SELECT count(*) FROM gov.release_delivery AS d
        WHERE d.kind = 'downloaded' AND d.reason = 'AFTER_ENTITLEMENT' AND d.at > :recent
    ) AS after_entitlement
