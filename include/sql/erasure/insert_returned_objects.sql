-- Purpose: objects that came back after an erasure and are a case of their own.
-- Parameters: plan_id, stores, buckets (text[] of equal length: the map's store of each bucket). Grain: object.
-- Idempotency: planned once.
INSERT INTO gov.erasure_object (plan_id, case_id, store, bucket, object_key, is_prefix)
SELECT
    p.plan_id,
    c.case_id,
    min(s.store),
    s.bucket,
    c.subject_key[1],
    false
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
INNER JOIN unnest(cast(:stores AS text[]), cast(:buckets AS text[])) AS s (store, bucket)
    ON c.subject_table = 's3\://' || s.bucket
WHERE p.plan_id = :plan_id AND c.subject_kind = 'row'
GROUP BY p.plan_id, c.case_id, s.bucket, c.subject_key[1]
ON CONFLICT DO NOTHING
