-- Purpose: close the cases of a plan and empty them of every key of a person; references and counts stay.
-- Parameters: plan_id, at. Grain: case. Idempotency: sealed stays sealed.
UPDATE gov.minor_case AS c SET
    state = 'CLOSED',
    closed_at = coalesce(c.closed_at, :at),
    subject_key = NULL,
    evidence_hash = NULL,
    adult_on = NULL,
    restriction_previous = NULL,
    flags = '{}'
FROM gov.erasure_plan_case AS p
WHERE p.plan_id = :plan_id AND c.case_id = p.case_id
