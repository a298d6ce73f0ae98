-- Purpose: the two longest stays in each module.
-- Parameters: none; reads module_contribution.
-- Grain: at most two rows per module.
-- Idempotency: reads only.
SELECT
    t.module,
    t.seconds,
    t.place
FROM (
    SELECT
        a.module,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.module ORDER BY a.seconds DESC) AS place
    FROM module_contribution AS a
) AS t
WHERE t.place <= 2
