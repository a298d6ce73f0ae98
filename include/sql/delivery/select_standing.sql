-- Purpose: everything that decides whether a release may be delivered now, and where its delivery stands. Entitled
-- means as at the release: one entitlement and agreement with every clause, for all of the window, and still today;
-- asked for each course, and each module where modules were named. A release without courses is not entitled.
-- Parameters: releases (text array; NULL: those that were never sent), today (date), timezone, clauses (text array),
-- destinations (text array: where a write to the bucket of exports ends).
-- Grain: one row per release.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    r.period_key,
    r.object_prefix,
    r.files,
    r.pack_sha256,
    c.status,
    c.country,
    c.contact_key_id,
    c.contact_hmac,
    p.object_key,
    p.sha256,
    p.version_id,
    CAST(r.window_start AT TIME ZONE :timezone AS date) AS first_day,
    CAST(r.window_end AT TIME ZONE :timezone AS date) - 1 AS last_day,
    EXISTS(
        SELECT 1 FROM gov.release_event AS w
        WHERE w.release_id = r.release_id AND w.kind = 'withdrawn'
    ) AS withdrawn,
    EXISTS(SELECT 1 FROM gov.release_register AS l WHERE l.supersedes = r.release_id) AS superseded,
    r.supersedes,
    (SELECT k.reason FROM gov.release_correction AS k WHERE k.revision = r.revision) AS corrected_because,
    EXISTS(
        SELECT 1 FROM gov.blocked_destination AS b
        WHERE
            b.lifted_at IS NULL
            AND b.destination = ANY(CAST(:destinations AS text[]) || ('recipient:' || r.recipient_id))
    ) AS destination_blocked,
    JSONB_ARRAY_LENGTH(r.entitlement) > 0 AND NOT EXISTS (
        SELECT 1
        FROM JSONB_ARRAY_ELEMENTS(r.entitlement) AS g (given)
        LEFT JOIN LATERAL JSONB_ARRAY_ELEMENTS_TEXT(g.given -> 'modules') AS m (module_id) ON TRUE
        WHERE NOT EXISTS (
            SELECT 1
            FROM gov.entitlement AS e
            INNER JOIN gov.agreement AS a
                ON e.agreement_id = a.agreement_id AND e.recipient_id = a.recipient_id
            WHERE
                e.recipient_id = r.recipient_id AND e.product = r.product AND e.course_id = g.given ->> 'course_id'
                AND (e.module_scope = '{}' OR m.module_id = ANY(e.module_scope))
                AND a.clauses @> CAST(:clauses AS text[])
                AND GREATEST(e.valid_from, a.valid_from) <= CAST(r.window_start AT TIME ZONE :timezone AS date)
                AND LEAST(e.valid_to, a.valid_to)
                >= GREATEST(CAST(r.window_end AT TIME ZONE :timezone AS date) - 1, CAST(:today AS date))
        )
    ) AS entitled,
    (
        SELECT n.reason FROM gov.release_delivery AS n
        WHERE n.release_id = r.release_id AND n.kind IN ('prepared', 'sent', 'blocked')
        ORDER BY n.release_delivery_id DESC
        LIMIT 1
    ) AS noted
FROM gov.release_register AS r
INNER JOIN gov.recipient AS c ON r.recipient_id = c.recipient_id
LEFT JOIN gov.release_delivery AS p ON r.release_id = p.release_id AND p.kind = 'prepared'
WHERE
    r.release_id = ANY(CAST(:releases AS text[]))
    OR (
        CAST(:releases AS text[]) IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM gov.release_delivery AS s
            WHERE s.release_id = r.release_id AND s.kind IN ('sent', 'recalled')
        )
    )
ORDER BY r.recipient_id, r.period_key, r.release_id
