-- Purpose: the cases of a plan with what ledger, suppression and certificate need.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
SELECT
    c.case_id,
    c.subject_kind,
    c.subject_table,
    c.subject_key,
    c.subject_ref,
    c.ref_key_id,
    c.class,
    c.flags,
    c.discovered_at,
    c.restricted_at,
    c.adult_on
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id
ORDER BY c.case_id
