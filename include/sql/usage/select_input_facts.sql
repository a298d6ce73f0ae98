-- Purpose: numbers that describe the frozen input: its volume, and a fingerprint that changes when it does.
-- Parameters: none; reads usage_event, usage_day, usage_excluded.
-- Grain: one row.
-- Idempotency: reads only. The text runs unchanged on DuckDB.
SELECT
    COUNT(*) AS events,
    COUNT(DISTINCT e.person) AS people,
    COUNT(DISTINCT d.day) AS days,
    CAST(COALESCE(SUM(e.seconds), 0) AS bigint) AS seconds,
    SUM(CASE WHEN e.kind = 'start' THEN 1 ELSE 0 END) AS starts,
    SUM(CASE WHEN e.kind = 'complete' THEN 1 ELSE 0 END) AS completions,
    (SELECT COUNT(DISTINCT x.person) FROM usage_excluded AS x) AS excluded
FROM usage_event AS e
LEFT JOIN usage_day AS d ON e.at >= d.starts_at AND e.at < d.ends_at
