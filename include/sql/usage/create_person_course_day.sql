-- Purpose: seconds of each person in each course on each day, which the daily cap is held against.
-- Parameters: none; reads usage_person_module_day.
-- Grain: person, course, day.
-- Idempotency: temporary. The text runs unchanged on DuckDB.
CREATE TEMPORARY TABLE usage_person_course_day AS
SELECT
    f.person,
    f.course_id,
    f.day,
    CAST(SUM(f.seconds) AS bigint) AS seconds
FROM usage_person_module_day AS f
GROUP BY f.person, f.course_id, f.day
