-- Purpose: what the draws of a year cost each person who was there all year, under whatever spec they were made.
-- Parameters: year_key.
-- Grain: one row; 0 where nothing was drawn.
-- Idempotency: reads only.
SELECT COALESCE(SUM(d.rho), 0) AS rho
FROM gov.privacy_draw AS d
WHERE d.year_key = :year_key
