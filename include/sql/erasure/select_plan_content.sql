-- Purpose: everything that a plan will do, in one order, for its hash: steps as they are, and a digest of each case's
-- rows, objects and keys (made here: to send every row out for hashing took as long as deleting it).
-- Parameters: plan_id. Grain: line. Idempotency: reads only.
SELECT line FROM (
    SELECT
        1 AS part,
        'case ' || p.case_id || ' ' || c.class || ' '
        || to_char(c.discovered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI\:SS.US') AS line
    FROM gov.erasure_plan_case AS p
    INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
    WHERE p.plan_id = :plan_id
    UNION ALL
    SELECT
        2,
        'step ' || lpad(cast(s.step_no AS text), 6, '0') || ' ' || s.action || ' ' || s.table_name || ' '
        || cast(s.columns AS text) || ' ' || cast(s.key_columns AS text)
    FROM gov.erasure_step AS s
    WHERE s.plan_id = :plan_id
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
    UNION ALL
    SELECT
        4,
        'objects ' || o.case_id || ' ' || encode(sha256(convert_to(
            string_agg(
                cast(ARRAY[o.bucket, cast(o.is_prefix AS text), o.object_key] AS text), e'\n'
                ORDER BY o.bucket COLLATE "C", o.object_key COLLATE "C"
            ),
            'UTF8'
        )), 'hex')
    FROM gov.erasure_object AS o
    WHERE o.plan_id = :plan_id
    GROUP BY o.case_id
    UNION ALL
    SELECT
        5,
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
        6,
        'rewrite ' || w.bucket || ' ' || w.object_key || ' ' || w.version_id || ' ' || w.etag || ' ' || w.rows_found
    FROM gov.erasure_rewrite AS w
    WHERE w.plan_id = :plan_id AND NOT w.late AND w.rows_found > 0
    UNION ALL
    SELECT
        7,
        'hold ' || k.case_id || ' ' || k.hold_id || ' ' || k.step_no || ' ' || k.table_name || ' '
        || cast(k.columns AS text) || ' ' || k.planned
    FROM gov.erasure_hold AS k
    WHERE k.plan_id = :plan_id
) AS content
ORDER BY part, line COLLATE "C"
