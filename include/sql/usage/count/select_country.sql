-- Purpose: true counts of courses by country. They stay in the process that protects them.
-- Parameters: none; reads country_cell and country_institution.
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
    c.seconds_top1,
    c.seconds_top2
FROM country_cell AS c
INNER JOIN country_institution AS i ON c.course = i.course AND c.country = i.country
