-- Purpose: the cases of a plan and what its steps found of each, table by table, for the ledger.
-- Parameters: plan_id. Grain: case. Idempotency: reads only.
WITH of_step AS (
    SELECT
        case_id,
        step_no,
        count(*) AS done
    FROM gov.erasure_row
    WHERE plan_id = :plan_id
    GROUP BY case_id, step_no
),

of_asset AS (
    SELECT
        o.case_id,
        s.table_name || ' ' || s.action AS asset,
        sum(o.done) AS done
    FROM of_step AS o
    INNER JOIN gov.erasure_step AS s ON o.step_no = s.step_no
    WHERE s.plan_id = :plan_id AND s.found = s.planned
    GROUP BY o.case_id, s.table_name, s.action
    UNION ALL
    SELECT
        case_id,
        asset || ' ' || method,
        done
    FROM gov.erasure_asset
    WHERE plan_id = :plan_id
),

of_case AS (
    SELECT
        case_id,
        json_object_agg(asset, done) AS done
    FROM of_asset
    GROUP BY case_id
)

SELECT
    c.case_id,
    c.subject_ref,
    c.ref_key_id,
    coalesce(o.done, '{}') AS done
FROM gov.erasure_plan_case AS p
INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
LEFT JOIN of_case AS o ON p.case_id = o.case_id
WHERE p.plan_id = :plan_id
ORDER BY c.case_id
