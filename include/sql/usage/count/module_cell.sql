-- Purpose: people and seconds of each module, and the two longest stays. Start cohorts are of courses.
-- Parameters: none; reads module_contribution.
-- Grain: module.
-- Idempotency: reads only.
WITH added AS (
    SELECT
        c.course,
        c.module,
        COUNT(*) AS learners,
        SUM(c.started) AS starters,
        SUM(c.completed) AS completers,
        CAST(SUM(c.seconds) AS bigint) AS seconds,
        MAX(c.seconds) AS seconds_top1
    FROM module_contribution AS c
    GROUP BY c.course, c.module
),

ranked AS (
    SELECT
        a.module,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.module ORDER BY a.seconds DESC) AS place
    FROM module_contribution AS a
)

SELECT
    p.course,
    p.module,
    p.learners,
    p.starters,
    p.completers,
    p.seconds,
    0 AS cohort_starters,
    0 AS cohort_completers,
    0 AS cohort_passed,
    p.seconds_top1,
    COALESCE(t.seconds, 0) AS seconds_top2
FROM added AS p
LEFT JOIN ranked AS t ON p.module = t.module AND t.place = 2
