-- Purpose: what each person contributes to each course: a person of several modules once. Of who first started the
-- course in the period (quarters only) also what became of it by the end: completed every module of the course's
-- public list, passed an assessment of it.
-- Parameters: none; reads contribution, period_course and period_beginner.
-- Grain: person, course.
-- Idempotency: reads only.
WITH once AS (
    SELECT
        c.person,
        c.course,
        MAX(c.country) AS country,
        MAX(c.region) AS region,
        MAX(c.institution) AS institution,
        SUM(c.seconds) AS seconds,
        MAX(c.started) AS started,
        MAX(c.completed) AS completed,
        MAX(c.passed) AS passed,
        SUM(c.completed) AS modules
    FROM contribution AS c
    GROUP BY c.person, c.course
)

SELECT
    o.course,
    o.country,
    o.region,
    o.institution,
    CAST(o.seconds AS integer) AS seconds,
    o.started,
    o.completed,
    CASE WHEN b.person IS NULL THEN 0 ELSE 1 END AS begun,
    CASE WHEN b.person IS NOT NULL AND o.modules >= k.modules THEN 1 ELSE 0 END AS finished,
    CASE WHEN b.person IS NOT NULL THEN o.passed ELSE 0 END AS passed
FROM once AS o
INNER JOIN period_course AS k ON o.course = k.course
LEFT JOIN period_beginner AS b ON o.person = b.person AND o.course = b.course
