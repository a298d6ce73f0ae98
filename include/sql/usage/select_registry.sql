-- Purpose: every entitlement with its agreement, in force or not, for the gate that judges the staged files anew.
-- Parameters: none.
-- Grain: one row per entitlement.
-- Idempotency: reads only.
SELECT
    e.recipient_id,
    e.product,
    e.course_id,
    r.status,
    a.clauses,
    e.valid_from AS entitled_from,
    e.valid_to AS entitled_to,
    a.valid_from AS agreed_from,
    a.valid_to AS agreed_to
FROM gov.entitlement AS e
INNER JOIN gov.agreement AS a ON e.agreement_id = a.agreement_id
INNER JOIN gov.recipient AS r ON a.recipient_id = r.recipient_id AND e.recipient_id = r.recipient_id
