-- Purpose: in how many institutions the people of each course are, and how many are in the largest.
-- Parameters: none; reads course_contribution.
-- Grain: course.
-- Idempotency: reads only. All unresolved institutions are one, number 0.
SELECT
    o.course,
    COUNT(*) AS institutions,
    MAX(o.people) AS largest_institution
FROM (
    SELECT
        p.course,
        COUNT(*) AS people
    FROM course_contribution AS p
    GROUP BY p.course, p.institution
) AS o
GROUP BY o.course
