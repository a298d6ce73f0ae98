-- Purpose: the two longest stays in each course and country; those of coarser cells are among them.
-- Parameters: none; reads person_course.
-- Grain: at most two rows per course and country.
-- Idempotency: reads only.
SELECT
    t.course,
    t.country,
    t.region,
    t.seconds
FROM (
    SELECT
        p.course,
        p.country,
        p.region,
        p.seconds,
        ROW_NUMBER() OVER (PARTITION BY p.course, p.country ORDER BY p.seconds DESC) AS place
    FROM person_course AS p
) AS t
WHERE t.place <= 2
