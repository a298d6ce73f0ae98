-- Purpose: the two longest stays in each course and world region: they are among those of its countries.
-- Parameters: none; reads country_top.
-- Grain: at most two rows per course, region.
-- Idempotency: reads only.
SELECT
    t.course,
    t.region,
    t.seconds,
    t.place
FROM (
    SELECT
        a.course,
        a.region,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.course, a.region ORDER BY a.seconds DESC) AS place
    FROM country_top AS a
) AS t
WHERE t.place <= 2
