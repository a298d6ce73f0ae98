-- Purpose: true counts of modules. They stay in the process that protects them.
-- Parameters: none; reads module_cell and module_institution.
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
    c.seconds_top1,
    c.seconds_top2
FROM module_cell AS c
INNER JOIN module_institution AS i ON c.module = i.module
