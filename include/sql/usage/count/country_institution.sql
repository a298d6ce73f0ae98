-- Purpose: in how many institutions the people of each course and country are, and how many are in the largest.
-- Parameters: none; reads course_contribution.
-- Grain: course, country.
-- Idempotency: reads only. All unresolved institutions are one, number 0.
SELECT
    o.course,
    o.country,
    COUNT(*) AS institutions,
    MAX(o.people) AS largest_institution
FROM (
    SELECT
        p.course,
        p.country,
        COUNT(*) AS people
    FROM course_contribution AS p
    GROUP BY p.course, p.country, p.institution
) AS o
GROUP BY o.course, o.country
