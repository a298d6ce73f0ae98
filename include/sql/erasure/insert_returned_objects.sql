-- Purpose: objects that came back after an erasure and are a case of their own.
-- Parameters: plan_id. Grain: object. Idempotency: planned once.
INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix)
SELECT
    p.plan_id,
    c.case_id,
    '',
    substr(c.subject_table, 6),
    c.subject_key[1],
    false
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
WHERE p.plan_id = :plan_id AND c.subject_kind = 'row' AND c.subject_table LIKE 's3\://%'
ON CONFLICT DO NOTHING
