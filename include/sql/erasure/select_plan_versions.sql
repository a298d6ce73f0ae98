-- Purpose: which versions of a plan's rows, objects and keys stand in the database: PostgreSQL writes a new version for
-- each change and leaves an old one as it was, so the same versions are the same content, and cost a third to compare.
-- Parameters: plan_id. Grain: line. Idempotency: reads only.
SELECT
    concat_ws(
        ' ', 'rows', count(*), sum(hashtextextended(concat_ws(' ', r.xmin, r.ctid), 0))
    ) AS line
FROM gov.erasure_row AS r
WHERE r.plan_id = :plan_id
UNION ALL
SELECT
    concat_ws(
        ' ', 'objects', count(*), sum(hashtextextended(concat_ws(' ', o.xmin, o.ctid), 0))
    )
FROM gov.erasure_object AS o
WHERE o.plan_id = :plan_id
UNION ALL
SELECT
    concat_ws(
        ' ', 'keys', count(*), sum(hashtextextended(concat_ws(' ', k.xmin, k.ctid), 0))
    )
FROM gov.erasure_key AS k
WHERE k.plan_id = :plan_id
ORDER BY line
