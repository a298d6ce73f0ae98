-- Purpose: true counts of courses. They stay in the process that protects them.
-- Parameters: none; reads course_cell, course_institution and course_top.
-- Grain: course; only those with people.
-- Idempotency: reads only.
SELECT
    c.course,
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
FROM course_cell AS c
INNER JOIN course_institution AS i ON c.course = i.course
INNER JOIN course_top AS f ON c.course = f.course AND f.place = 1
LEFT JOIN course_top AS s ON c.course = s.course AND s.place = 2
