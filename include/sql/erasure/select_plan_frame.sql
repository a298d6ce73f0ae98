-- Purpose: what a plan will do as a whole, in one order, for its hash: cases, steps, objects to rewrite, cells to keep.
-- Parameters: plan_id. Grain: line. Idempotency: reads only.
SELECT line FROM (
    SELECT
        1 AS part,
        'case ' || p.case_id || ' ' || c.class || ' '
        || to_char(c.discovered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\:MI\:SS.US') || ' '
        || cast(p.planned AS text) AS line
    FROM gov.erasure_plan_case AS p
    INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
    WHERE p.plan_id = :plan_id
    UNION ALL
    SELECT
        2,
        'step ' || lpad(cast(s.step_no AS text), 6, '0') || ' ' || s.action || ' ' || s.table_name || ' '
        || cast(s.columns AS text) || ' ' || cast(s.key_columns AS text) || coalesce(' ' || s.digest, '')
    FROM gov.erasure_step AS s
    WHERE s.plan_id = :plan_id
    UNION ALL
    SELECT
        3,
        'rewrite ' || w.bucket || ' ' || w.object_key || ' ' || w.version_id || ' ' || w.etag || ' ' || w.rows_found
    FROM gov.erasure_rewrite AS w
    WHERE w.plan_id = :plan_id AND NOT w.late AND w.rows_found > 0
    UNION ALL
    SELECT
        4,
        'hold ' || k.case_id || ' ' || k.hold_id || ' ' || k.step_no || ' ' || k.table_name || ' '
        || cast(k.columns AS text) || ' ' || k.planned
    FROM gov.erasure_hold AS k
    WHERE k.plan_id = :plan_id
) AS content
ORDER BY part, line COLLATE "C"
