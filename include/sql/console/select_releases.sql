-- Purpose: the register of releases, newest first, by key.
-- Parameters: recipient, period, course (JSON that its entitlement contains) (NULL: all); released_at and release_id
-- (NULL: from the newest); most. Grain: release. Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    p.legal_name,
    r.period_key,
    r.released_at,
    r.n_rows,
    r.n_withheld,
    r.utility,
    r.entitlement,
    n.kind AS delivery,
    n.reason AS delivery_reason,
    EXISTS(
        SELECT 1 FROM gov.release_event AS w WHERE w.release_id = r.release_id AND w.kind = 'withdrawn'
    ) AS withdrawn
FROM gov.release_register AS r
INNER JOIN gov.recipient AS p ON r.recipient_id = p.recipient_id
LEFT JOIN LATERAL (
    SELECT
        d.kind,
        d.reason
    FROM gov.release_delivery AS d
    WHERE d.release_id = r.release_id
    ORDER BY d.release_delivery_id DESC
    LIMIT 1
) AS n ON true
WHERE
    (r.released_at, r.release_id) < (
        COALESCE(CAST(:released_at AS timestamptz), 'infinity'), COALESCE(CAST(:release_id AS text), '~')
    )
    AND (CAST(:recipient AS text) IS null OR r.recipient_id = :recipient)
    AND (CAST(:period AS text) IS null OR r.period_key = :period)
    AND (CAST(:course AS jsonb) IS null OR r.entitlement @> CAST(:course AS jsonb))
ORDER BY r.released_at DESC, r.release_id DESC
LIMIT :most
