-- Purpose: the contribution of one person to one module in the window. Above the cap of a day, each module keeps
-- its share of the capped day in whole seconds, so that modules still add up to the course.
-- Parameters: cap_seconds (of one person, course and day).
-- Grain: person, module.
-- Idempotency: temporary. The text runs unchanged on DuckDB.
CREATE TEMPORARY TABLE usage_person_module AS
SELECT
    f.person,
    f.course_id,
    f.module_id,
    CAST(SUM(
        CASE
            WHEN c.seconds <= :cap_seconds THEN f.seconds
            ELSE (f.seconds * :cap_seconds - MOD(f.seconds * :cap_seconds, c.seconds)) / c.seconds
        END
    ) AS bigint) AS seconds,
    MAX(f.started) AS started,
    MAX(f.completed) AS completed
FROM usage_person_module_day AS f
INNER JOIN usage_person_course_day AS c
    ON f.person = c.person AND f.course_id = c.course_id AND f.day = c.day
GROUP BY f.person, f.course_id, f.module_id
