-- Purpose: true counts of modules. They stay in the process that protects them.
-- Parameters: none; reads module_cell, module_institution and module_top.
-- Grain: course, module; only those with people.
-- Idempotency: reads only.
SELECT
    c.course,
    c.module,
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
FROM module_cell AS c
INNER JOIN module_institution AS i ON c.module = i.module
INNER JOIN module_top AS f ON c.module = f.module AND f.place = 1
LEFT JOIN module_top AS s ON c.module = s.module AND s.place = 2
