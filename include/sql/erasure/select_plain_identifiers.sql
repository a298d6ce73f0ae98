-- Purpose: identifiers of people whose erasure is not sealed yet.
-- Parameters: none. Grain: identifier. Idempotency: reads only.
SELECT k.value
FROM gov.erasure_key AS k
WHERE
    k.kind IN ('email', 'email_shared')
    OR ((k.kind LIKE 'external\:%' OR k.kind LIKE 'account\:%') AND NOT k.kind LIKE '%\_shared')
UNION
SELECT part.value
FROM gov.minor_case AS c
CROSS JOIN unnest(c.subject_key) AS part (value)
WHERE c.subject_key IS NOT NULL
