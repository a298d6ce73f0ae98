-- Purpose: how many rows of each table a plan holds of each case, under "table action".
-- Parameters: plan_id. Grain: case. Idempotency: sets what is frozen.
WITH of_step AS (  -- first of all: the plan's rows are many, its steps are few
    SELECT
        case_id,
        step_no,
        count(*) AS rows_held
    FROM gov.erasure_row
    WHERE plan_id = :plan_id
    GROUP BY case_id, step_no
),

of_asset AS (
    SELECT
        o.case_id,
        s.table_name || ' ' || s.action AS asset,
        sum(o.rows_held) AS rows_held
    FROM of_step AS o
    INNER JOIN gov.erasure_step AS s ON o.step_no = s.step_no
    WHERE s.plan_id = :plan_id
    GROUP BY o.case_id, s.table_name, s.action
),

of_case AS (
    SELECT
        case_id,
        jsonb_object_agg(asset, rows_held) AS planned
    FROM of_asset
    GROUP BY case_id
)

UPDATE gov.erasure_plan_case AS p SET planned = c.planned
FROM of_case AS c
WHERE p.plan_id = :plan_id AND p.case_id = c.case_id
