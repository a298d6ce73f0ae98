-- Purpose: products that were released at least once.
-- Parameters: none.
-- Grain: one row per product.
-- Idempotency: reads only.
SELECT DISTINCT r.product FROM gov.release_register AS r ORDER BY r.product
