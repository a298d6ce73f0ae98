-- Purpose: one row for what a person did in a course in the whole period, in however many modules.
-- Parameters: none; reads person_module.
-- Grain: person, course. Seconds before the cap of a day.
-- Idempotency: reads only.
SELECT
    f.person,
    f.course,
    CAST(SUM(f.seconds) AS bigint) AS seconds,
    MAX(f.started) AS started,
    MAX(f.completed) AS completed,
    MAX(f.passed) AS passed,
    SUM(f.completed) AS modules
FROM person_module AS f
GROUP BY f.person, f.course
