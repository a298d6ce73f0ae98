-- Purpose: what each person contributes to each course: a person of several modules once.
-- Parameters: none; reads contribution.
-- Grain: person, course.
-- Idempotency: reads only.
SELECT
    c.person,
    c.course,
    c.country,
    c.region,
    c.institution,
    CAST(SUM(c.seconds) AS bigint) AS seconds,
    MAX(c.started) AS started,
    MAX(c.completed) AS completed,
    MAX(c.passed) AS passed,
    SUM(c.completed) AS modules
FROM contribution AS c
GROUP BY c.person, c.course, c.country, c.region, c.institution
