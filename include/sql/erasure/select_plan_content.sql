-- Purpose: everything that a plan will do, in one order, for its hash.
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
        'row ' || lpad(cast(r.step_no AS text), 6, '0') || ' ' || cast(r.row_key AS text) || ' ' || r.case_id
    FROM gov.erasure_row AS r
    WHERE r.plan_id = :plan_id
    UNION ALL
    SELECT
        4,
        'object ' || o.bucket || ' ' || cast(o.is_prefix AS text) || ' ' || o.object_key || ' ' || o.case_id
    FROM gov.erasure_object AS o
    WHERE o.plan_id = :plan_id
    UNION ALL
    SELECT
        5,
        'key ' || k.kind || ' ' || k.value || ' ' || k.case_id
    FROM gov.erasure_key AS k
    WHERE k.plan_id = :plan_id
) AS content
ORDER BY part, line COLLATE "C"
