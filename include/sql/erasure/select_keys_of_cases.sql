-- Purpose: identifiers that must not come back, by case.
-- Parameters: plan_id. Grain: identifier. Idempotency: reads only.
SELECT
    k.case_id,
    k.kind,
    k.value,
    c.adult_on
FROM gov.erasure_key AS k
INNER JOIN gov.minor_case AS c ON k.case_id = c.case_id
WHERE
    k.plan_id = :plan_id
    AND (k.kind = 'email' OR (k.kind LIKE 'external\:%' AND NOT k.kind LIKE '%\_shared'))
ORDER BY k.case_id, k.kind, k.value
