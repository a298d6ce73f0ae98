-- Purpose: true counts of courses and modules. They stay in the process that protects them.
-- Parameters: none; reads usage_person_course and usage_person_module.
-- Grain: course (module_id empty) and module; only those with people.
-- Idempotency: reads only. The text runs unchanged on DuckDB.
SELECT
    c.course_id,
    '' AS module_id,
    COUNT(*) AS learners,
    SUM(c.started) AS starters,
    SUM(c.completed) AS completers,
    CAST(SUM(c.seconds) AS bigint) AS seconds
FROM usage_person_course AS c
GROUP BY c.course_id
UNION ALL
SELECT
    m.course_id,
    m.module_id,
    COUNT(*) AS learners,
    SUM(m.started) AS starters,
    SUM(m.completed) AS completers,
    CAST(SUM(m.seconds) AS bigint) AS seconds
FROM usage_person_module AS m
GROUP BY m.course_id, m.module_id
ORDER BY course_id, module_id
