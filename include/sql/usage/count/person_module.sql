-- Purpose: deduplicate first: one row for what a person did in a module in the whole period.
-- Parameters: none; reads period_event.
-- Grain: person, module. This is the one step that reads every event.
-- Idempotency: reads only. A query, so that PostgreSQL, DuckDB and Spark keep its rows each in their own way.
SELECT
    e.person,
    e.course,
    e.module,
    CAST(SUM(e.seconds) AS bigint) AS seconds,
    MAX(e.started) AS started,
    MAX(e.completed) AS completed,
    MAX(e.passed) AS passed
FROM period_event AS e
GROUP BY e.person, e.course, e.module
