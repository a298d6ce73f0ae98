-- Purpose: products and kinds of periods that were released at least once; anything else is asked about first.
-- Parameters: none.
-- Grain: one row per product and kind of period.
-- Idempotency: reads only.
SELECT DISTINCT
    r.product,
    CASE
        WHEN r.period_key LIKE '%W%' THEN 'week'
        WHEN r.period_key LIKE '%B%' THEN 'block'
        WHEN r.period_key LIKE '%Q%' THEN 'quarter'
        ELSE 'year'
    END AS kind
FROM gov.release_register AS r
ORDER BY r.product, kind
