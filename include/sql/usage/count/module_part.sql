-- Purpose: the finest counts of modules.
-- Parameters: none; reads contribution.
-- Grain: module, institution.
-- Idempotency: reads only.
SELECT
    c.course,
    c.module,
    c.institution,
    COUNT(*) AS learners,
    SUM(c.started) AS starters,
    SUM(c.completed) AS completers,
    CAST(SUM(c.seconds) AS bigint) AS seconds
FROM contribution AS c
GROUP BY c.course, c.module, c.institution
