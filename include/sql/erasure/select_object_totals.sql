-- Purpose: what became of all objects of a plan, whichever attempt did it: a kill loses no count.
-- Parameters: plan_id. Grain: one row. Idempotency: reads only.
SELECT
    count(*) FILTER (WHERE o.state = 'erased') AS keys,
    coalesce(sum(o.versions), 0) AS versions,
    coalesce(sum(o.markers), 0) AS markers,
    coalesce(sum(o.uploads), 0) AS uploads,
    count(*) FILTER (WHERE o.state = 'exception') + (
        SELECT count(*) FROM gov.erasure_rewrite AS w
        WHERE w.plan_id = :plan_id AND w.state = 'exception'
    ) AS exceptions,
    (
        SELECT count(*) FROM gov.erasure_rewrite AS w
        WHERE w.plan_id = :plan_id AND w.state = 'done'
    ) AS shared,
    (
        SELECT coalesce(sum(w.rows_found), 0) FROM gov.erasure_rewrite AS w
        WHERE w.plan_id = :plan_id AND w.state = 'done'
    ) AS shared_rows
FROM gov.erasure_object AS o
WHERE o.plan_id = :plan_id
