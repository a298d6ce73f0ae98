-- Purpose: what was true of a delivery when it was fetched: withdrawn already, or an entitlement had ended by then.
-- Parameters: object_key, at, day (date).
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT
    p.release_id,
    EXISTS(
        SELECT 1 FROM gov.release_event AS w
        WHERE w.release_id = p.release_id AND w.kind = 'withdrawn' AND w.at <= :at
    ) AS withdrawn,
    c.status <> 'active' OR EXISTS (
        SELECT 1
        FROM JSONB_ARRAY_ELEMENTS(r.entitlement) AS g (given)
        WHERE NOT EXISTS (
            SELECT 1
            FROM gov.entitlement AS e
            INNER JOIN gov.agreement AS a
                ON e.agreement_id = a.agreement_id AND e.recipient_id = a.recipient_id
            WHERE
                e.recipient_id = r.recipient_id AND e.product = r.product AND e.course_id = g.given ->> 'course_id'
                AND LEAST(e.valid_to, a.valid_to) >= CAST(:day AS date)
        )
    ) AS ended
FROM gov.release_delivery AS p
INNER JOIN gov.release_register AS r ON p.release_id = r.release_id
INNER JOIN gov.recipient AS c ON r.recipient_id = c.recipient_id
WHERE p.kind = 'prepared' AND p.object_key = :object_key
