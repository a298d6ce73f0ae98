-- Purpose: which versions of a plan's rows, objects and keys stand in the database: PostgreSQL writes a new version for
-- each change and leaves an old one as it was, so the same versions are the same content, and cost a tenth to compare.
-- Parameters: plan_id. Grain: what wrote them (one transaction, mostly). Idempotency: reads only.
SELECT
    concat_ws(
        ' ', 'rows', r.xmin, count(*), sum(hashtidextended(r.ctid, 0))
    ) AS line
FROM gov.erasure_row AS r
WHERE r.plan_id = :plan_id
GROUP BY r.xmin
UNION ALL
SELECT
    concat_ws(
        ' ', 'objects', o.xmin, count(*), sum(hashtidextended(o.ctid, 0))
    )
FROM gov.erasure_object AS o
WHERE o.plan_id = :plan_id
GROUP BY o.xmin
UNION ALL
SELECT
    concat_ws(
        ' ', 'keys', k.xmin, count(*), sum(hashtidextended(k.ctid, 0))
    )
FROM gov.erasure_key AS k
WHERE k.plan_id = :plan_id
GROUP BY k.xmin
ORDER BY line
