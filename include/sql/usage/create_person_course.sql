-- Purpose: the contribution of one person to one course in the window.
-- Parameters: none; reads usage_person_module.
-- Grain: person, course.
-- Idempotency: temporary. The text runs unchanged on DuckDB.
CREATE TEMPORARY TABLE usage_person_course AS
SELECT
    f.person,
    f.course_id,
    CAST(SUM(f.seconds) AS bigint) AS seconds,
    MAX(f.started) AS started,
    MAX(f.completed) AS completed
FROM usage_person_module AS f
GROUP BY f.person, f.course_id
