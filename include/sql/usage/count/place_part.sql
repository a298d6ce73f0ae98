-- Purpose: the finest counts of courses. Everybody has one country and one institution, so coarser cells are sums.
-- Parameters: none; reads person_course and cohort.
-- Grain: course, country, institution.
-- Idempotency: reads only.
SELECT
    p.course,
    p.country,
    p.region,
    p.institution,
    COUNT(*) AS learners,
    SUM(p.started) AS starters,
    SUM(p.completed) AS completers,
    CAST(SUM(p.seconds) AS bigint) AS seconds,
    COUNT(h.person) AS cohort_starters,
    COALESCE(SUM(h.completed), 0) AS cohort_completers,
    COALESCE(SUM(h.passed), 0) AS cohort_passed
FROM person_course AS p
LEFT JOIN cohort AS h ON p.person = h.person AND p.course = h.course
GROUP BY p.course, p.country, p.region, p.institution
