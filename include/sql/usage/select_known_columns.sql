-- Purpose: columns of products that were released at least once, and were not new to this run when its files were
-- judged; anything else is asked about first.
-- Parameters: run_id.
-- Grain: one row per product and column, a column being named with its table.
-- Idempotency: reads only.
SELECT DISTINCT
    r.product,
    c.shown
FROM gov.release_register AS r
CROSS JOIN LATERAL UNNEST(r.columns) AS c (shown)
WHERE
    NOT EXISTS (
        SELECT 1
        FROM gov.run AS g
        WHERE
            g.run_id = :run_id
            AND g.facts -> 'first_columns' @> TO_JSONB(CONCAT(r.product, ': ', c.shown))
    )
ORDER BY r.product, c.shown
