-- Purpose: what was taken out of other people's texts about the cases of a plan.
-- Parameters: plan_id. Grain: case, table and column. Idempotency: reads only.
SELECT
    r.case_id,
    r.table_name || '.' || r.column_name AS asset,
    count(*) AS texts,
    sum(cardinality(r.firsts)) AS places,
    max(r.redacted_at) AS redacted_at
FROM gov.redaction AS r
INNER JOIN gov.erasure_plan_case AS p ON r.case_id = p.case_id
WHERE p.plan_id = :plan_id AND r.state = 'verified'
GROUP BY r.case_id, r.table_name, r.column_name
ORDER BY r.case_id, asset
