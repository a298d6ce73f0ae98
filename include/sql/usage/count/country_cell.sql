-- Purpose: people and seconds of each course by country, and the two longest stays. Everybody has one country, so what
-- is coarser adds up.
-- Parameters: none; reads course_contribution.
-- Grain: course, country.
-- Idempotency: reads only.
WITH added AS (
    SELECT
        c.course,
        c.country,
        c.region,
        COUNT(*) AS learners,
        SUM(c.started) AS starters,
        SUM(c.completed) AS completers,
        CAST(SUM(c.seconds) AS bigint) AS seconds,
        SUM(c.begun) AS cohort_starters,
        SUM(c.finished) AS cohort_completers,
        SUM(c.passed) AS cohort_passed,
        MAX(c.seconds) AS seconds_top1
    FROM course_contribution AS c
    GROUP BY c.course, c.country, c.region
),

ranked AS (
    SELECT
        a.course,
        a.country,
        a.seconds,
        ROW_NUMBER() OVER (PARTITION BY a.course, a.country ORDER BY a.seconds DESC) AS place
    FROM course_contribution AS a
)

SELECT
    p.course,
    p.country,
    p.region,
    p.learners,
    p.starters,
    p.completers,
    p.seconds,
    p.cohort_starters,
    p.cohort_completers,
    p.cohort_passed,
    p.seconds_top1,
    COALESCE(t.seconds, 0) AS seconds_top2
FROM added AS p
LEFT JOIN ranked AS t ON p.course = t.course AND p.country = t.country AND t.place = 2
