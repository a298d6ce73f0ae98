-- Purpose: who may be given which course, under an active agreement with every clause, in force for all of the
-- window and on the day of release.
-- Parameters: first_day, last_day, release_day (dates), clauses (text array that the agreement must hold).
-- Grain: one row per entitlement.
-- Idempotency: reads only.
SELECT
    e.recipient_id,
    e.product,
    e.course_id,
    e.module_scope,
    e.agreement_id,
    e.valid_from,
    e.valid_to,
    e.sdc_profile,
    r.legal_name
FROM gov.entitlement AS e
INNER JOIN gov.agreement AS a ON e.agreement_id = a.agreement_id AND e.recipient_id = a.recipient_id
INNER JOIN gov.recipient AS r ON e.recipient_id = r.recipient_id
WHERE
    r.status = 'active'
    AND a.clauses @> CAST(:clauses AS text[])
    AND GREATEST(e.valid_from, a.valid_from) <= :first_day
    AND LEAST(e.valid_to, a.valid_to) >= GREATEST(CAST(:last_day AS date), CAST(:release_day AS date))
ORDER BY e.product, e.recipient_id, e.course_id, e.agreement_id, e.valid_from
