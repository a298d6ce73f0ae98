-- Purpose: the two longest stays in each course and country.
-- Parameters: none; reads course_contribution.
-- Grain: at most two rows per course, country.
-- Idempotency: reads only.
SELECT
    t.course,
    t.country,
    t.region,
    t.seconds,
    t.place
FROM (
    SELECT
        a.course,
        a.country,
        a.region,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.course, a.country ORDER BY a.seconds DESC) AS place
    FROM course_contribution AS a
) AS t
WHERE t.place <= 2
