-- Purpose: identifiers of a plan's cases that name one person alone, for the sweeps after the plan is emptied.
-- Parameters: plan_id. Grain: identifier. Idempotency: reads only.
SELECT
    k.case_id,
    k.kind,
    k.value,
    CASE WHEN k.kind = 'subject' THEN cast(k.value AS text[]) END AS parts
FROM gov.erasure_key AS k
WHERE k.plan_id = :plan_id AND NOT k.kind LIKE '%\_shared'
UNION ALL
SELECT
    c.case_id,
    'row\:' || c.subject_table,
    '',
    c.subject_key
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id AND c.subject_kind = 'row' AND c.subject_key IS NOT NULL
