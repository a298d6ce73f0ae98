-- Purpose: true counts of courses by world region. They stay in the process that protects them.
-- Parameters: none; reads region_cell, region_institution and region_top.
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
    f.seconds AS seconds_top1,
    COALESCE(s.seconds, 0) AS seconds_top2
FROM region_cell AS c
INNER JOIN region_institution AS i ON c.course = i.course AND c.region = i.region
INNER JOIN region_top AS f ON c.course = f.course AND c.region = f.region AND f.place = 1
LEFT JOIN region_top AS s ON c.course = s.course AND c.region = s.region AND s.place = 2
