-- Purpose: true counts of courses by world region. They stay in the process that protects them.
-- Parameters: none; reads region_cell and region_institution.
-- Grain: course, region; only those with people.
-- Idempotency: reads only.
SELECT
    c.course,
    c.region,
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
FROM region_cell AS c
INNER JOIN region_institution AS i ON c.course = i.course AND c.region = i.region
