-- Purpose: true counts of courses by country. They stay in the process that protects them.
-- Parameters: none; reads country_cell, country_institution and country_top.
-- Grain: course, country; only those with people.
-- Idempotency: reads only.
SELECT
    c.course,
    c.country,
    c.learners,
    c.starters,
    c.completers,
    c.seconds,
    c.cohort_starters,
    c.cohort_completers,
    c.cohort_passed,
    i.institutions,
    i.largest_institution,
    f.seconds AS seconds_top1,
    COALESCE(s.seconds, 0) AS seconds_top2
FROM country_cell AS c
INNER JOIN country_institution AS i ON c.course = i.course AND c.country = i.country
INNER JOIN country_top AS f ON c.course = f.course AND c.country = f.country AND f.place = 1
LEFT JOIN country_top AS s ON c.course = s.course AND c.country = s.country AND s.place = 2
