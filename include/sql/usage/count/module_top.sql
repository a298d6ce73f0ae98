-- Purpose: the two longest stays in each module.
-- Parameters: none; reads contribution.
-- Grain: at most two rows per module.
-- Idempotency: reads only.
SELECT
    t.course,
    t.module,
    t.seconds
FROM (
    SELECT
        c.course,
        c.module,
        c.seconds,
        ROW_NUMBER() OVER (PARTITION BY c.module ORDER BY c.seconds DESC) AS place
    FROM contribution AS c
) AS t
WHERE t.place <= 2
