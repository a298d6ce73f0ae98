-- Purpose: what a plan will do one by one, in one order, for its hash: a digest of each case's rows, objects and keys
-- (made here: to send every row out for hashing took as long as deleting it).
-- Parameters: plan_id. Grain: line. Idempotency: reads only.
SELECT line FROM (
    SELECT
        1 AS part,
        'objects ' || o.case_id || ' ' || encode(sha256(convert_to(
            string_agg(
                cast(ARRAY[o.bucket, cast(o.is_prefix AS text), o.object_key] AS text), e'\n'
                ORDER BY o.bucket COLLATE "C", o.object_key COLLATE "C" -- noqa: RF03
            ),
            'UTF8'
        )), 'hex') AS line
    FROM gov.erasure_object AS o
    WHERE o.plan_id = :plan_id
    GROUP BY o.case_id
    UNION ALL
    SELECT
        2,
        'keys ' || k.case_id || ' ' || encode(sha256(convert_to(
            string_agg(
                cast(ARRAY[k.kind, k.value] AS text), e'\n' ORDER BY k.kind COLLATE "C", k.value COLLATE "C"
            ),
            'UTF8'
        )), 'hex')
    FROM gov.erasure_key AS k
    WHERE k.plan_id = :plan_id
    GROUP BY k.case_id
    UNION ALL
    SELECT
        3,
        'rows ' || r.case_id || ' ' || encode(sha256(convert_to(
            string_agg(r.step_no || ' ' || cast(r.row_key AS text), e'\n' ORDER BY r.step_no, r.row_key COLLATE "C"),
            'UTF8'
        )), 'hex')
    FROM gov.erasure_row AS r
    WHERE r.plan_id = :plan_id
    GROUP BY r.case_id
) AS content
ORDER BY part, line COLLATE "C"
