-- Purpose: deduplicate first: what each person did in each module on each London day.
-- Parameters: none; reads usage_event and usage_day.
-- Grain: person, module, day.
-- Idempotency: temporary. The text runs unchanged on DuckDB.
CREATE TEMPORARY TABLE usage_person_module_day AS
SELECT
    e.person,
    e.course_id,
    e.module_id,
    d.day,
    CAST(SUM(e.seconds) AS bigint) AS seconds,
    MAX(CASE WHEN e.kind = 'start' THEN 1 ELSE 0 END) AS started,
    MAX(CASE WHEN e.kind = 'complete' THEN 1 ELSE 0 END) AS completed
FROM usage_event AS e
INNER JOIN usage_day AS d ON e.at >= d.starts_at AND e.at < d.ends_at
GROUP BY e.person, e.course_id, e.module_id, d.day
