-- Purpose: people and seconds of each course by country. Everybody has one country, so what is coarser adds up.
-- Parameters: none; reads course_contribution.
-- Grain: course, country.
-- Idempotency: reads only.
SELECT
    p.course,
    p.country,
    p.region,
    COUNT(*) AS learners,
    SUM(p.started) AS starters,
    SUM(p.completed) AS completers,
    CAST(SUM(p.seconds) AS bigint) AS seconds,
    SUM(p.begun) AS cohort_starters,
    SUM(p.finished) AS cohort_completers,
    SUM(p.passed) AS cohort_passed
FROM course_contribution AS p
GROUP BY p.course, p.country, p.region
