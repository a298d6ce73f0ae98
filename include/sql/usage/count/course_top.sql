-- Purpose: the two longest stays in each course: they are among those of its countries.
-- Parameters: none; reads country_top.
-- Grain: at most two rows per course.
-- Idempotency: reads only.
SELECT
    t.course,
    t.seconds,
    t.place
FROM (
    SELECT
        a.course,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.course ORDER BY a.seconds DESC) AS place
    FROM country_top AS a
) AS t
WHERE t.place <= 2
