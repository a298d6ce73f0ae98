-- Purpose: columns of products that were released at least once; anything else is asked about first.
-- Parameters: none.
-- Grain: one row per product and column, a column being named with its table.
-- Idempotency: reads only.
SELECT DISTINCT
    r.product,
    c.shown
FROM gov.release_register AS r
CROSS JOIN LATERAL UNNEST(r.columns) AS c (shown)
ORDER BY r.product, c.shown
