-- Purpose: who first started a course in the period, and what became of them by its end: completed every module of
-- the course's public list, passed an assessment of it.
-- Parameters: none; reads period_beginner, period_course and person_course.
-- Grain: person, course. Empty but for quarters.
-- Idempotency: reads only.
SELECT
    p.person,
    p.course,
    CASE WHEN p.modules >= k.modules THEN 1 ELSE 0 END AS completed,
    p.passed
FROM period_beginner AS b
INNER JOIN person_course AS p ON b.person = p.person AND b.course = p.course
INNER JOIN period_course AS k ON p.course = k.course
