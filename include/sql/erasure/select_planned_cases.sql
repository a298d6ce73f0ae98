-- Purpose: the cases of a plan and how much of each is to go, table by table and bucket by bucket, for the ledger.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
WITH of_step AS (
    SELECT
        case_id,
        step_no,
        count(*) AS planned
    FROM gov.erasure_row
    WHERE plan_id = :plan_id
    GROUP BY case_id, step_no
),

of_asset AS (
    SELECT
        o.case_id,
        s.table_name AS asset,
        sum(o.planned) AS planned
    FROM of_step AS o
    INNER JOIN gov.erasure_step AS s ON o.step_no = s.step_no
    WHERE s.plan_id = :plan_id
    GROUP BY o.case_id, s.table_name
    UNION ALL
    SELECT
        case_id,
        's3\://' || bucket,
        count(*)
    FROM gov.erasure_object
    WHERE plan_id = :plan_id
    GROUP BY case_id, bucket
    UNION ALL
    SELECT
        c.case_id,
        'rows in s3\://' || w.bucket,
        sum(c.rows_found)
    FROM gov.erasure_rewrite AS w
    INNER JOIN gov.erasure_rewrite_case AS c ON w.plan_id = c.plan_id AND w.rewrite_no = c.rewrite_no
    WHERE w.plan_id = :plan_id
    GROUP BY c.case_id, w.bucket
),

of_case AS (
    SELECT
        case_id,
        json_object_agg(asset, planned) AS planned
    FROM of_asset
    GROUP BY case_id
),

of_rule AS (
    SELECT
        s.case_id,
        array_agg(DISTINCT s.signal ORDER BY s.signal) AS rules
    FROM gov.minor_signal AS s
    INNER JOIN gov.erasure_plan_case AS p ON s.case_id = p.case_id
    WHERE p.plan_id = :plan_id
    GROUP BY s.case_id
)

SELECT
    c.case_id,
    c.class,
    'DIED' = any(c.flags) AS died,
    c.subject_kind,
    c.subject_table,
    c.subject_ref,
    c.ref_key_id,
    coalesce(o.planned, '{}') AS planned,
    coalesce(r.rules, '{}') AS rules
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
LEFT JOIN of_case AS o ON p.case_id = o.case_id
LEFT JOIN of_rule AS r ON p.case_id = r.case_id
WHERE p.plan_id = :plan_id
ORDER BY c.case_id
