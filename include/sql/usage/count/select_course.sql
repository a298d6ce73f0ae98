-- Purpose: true counts of courses. They stay in the process that protects them.
-- Parameters: none; reads course_cell and course_institution.
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
    c.seconds_top1,
    c.seconds_top2
FROM course_cell AS c
INNER JOIN course_institution AS i ON c.course = i.course
