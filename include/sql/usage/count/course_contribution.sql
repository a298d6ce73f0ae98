-- Purpose: what each person contributes to each course after the cap, with where the person is. Of who first started
-- the course in the period (quarters only) also what became of it by the end: completed every module of the course's
-- public list, passed an assessment of it.
-- Parameters: none; reads person_course, period_person, period_course, period_beginner and excess.
-- Grain: person, course.
-- Idempotency: reads only.
WITH uncounted AS (
    SELECT
        x.person,
        x.course,
        SUM(x.seconds) AS seconds
    FROM excess AS x
    GROUP BY x.person, x.course
)

SELECT
    f.course,
    p.country,
    p.region,
    p.institution,
    f.started,
    f.completed,
    CASE WHEN b.person IS NULL THEN 0 ELSE 1 END AS begun,
    CASE WHEN b.person IS NOT NULL AND f.modules >= k.modules THEN 1 ELSE 0 END AS finished,
    CASE WHEN b.person IS NOT NULL THEN f.passed ELSE 0 END AS passed,
    CAST(f.seconds - COALESCE(u.seconds, 0) AS integer) AS seconds
FROM person_course AS f
INNER JOIN period_person AS p ON f.person = p.person
INNER JOIN period_course AS k ON f.course = k.course
LEFT JOIN period_beginner AS b ON f.person = b.person AND f.course = b.course
LEFT JOIN uncounted AS u ON f.person = u.person AND f.course = u.course
