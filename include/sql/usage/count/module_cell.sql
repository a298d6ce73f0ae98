-- Purpose: people and seconds of each module. Start cohorts are of courses.
-- Parameters: none; reads module_contribution.
-- Grain: module.
-- Idempotency: reads only.
SELECT
    c.course,
    c.module,
    COUNT(*) AS learners,
    SUM(c.started) AS starters,
    SUM(c.completed) AS completers,
    CAST(SUM(c.seconds) AS bigint) AS seconds,
    0 AS cohort_starters,
    0 AS cohort_completers,
    0 AS cohort_passed
FROM module_contribution AS c
GROUP BY c.course, c.module
