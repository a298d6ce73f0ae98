-- Purpose: recipients that releases were sent to or are kept ready for, with an agreement that holds on a day.
-- Parameters: :today (date).
-- Grain: one recipient; agreement_id NULL: none holds.
-- Idempotency: read only.
SELECT
    c.recipient_id,
    c.legal_name AS name,
    c.country,
    (
        SELECT min(a.agreement_id) FROM gov.agreement AS a
        WHERE a.recipient_id = c.recipient_id AND a.valid_from <= :today AND a.valid_to >= :today
    ) AS agreement_id
FROM gov.recipient AS c
WHERE
    EXISTS (
        SELECT 1 FROM gov.release_register AS r
        INNER JOIN gov.release_delivery AS d ON r.release_id = d.release_id
        WHERE r.recipient_id = c.recipient_id AND d.kind IN ('prepared', 'sent')
    )
ORDER BY c.recipient_id
