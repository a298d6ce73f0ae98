-- Purpose: courses whose period was protected under other rules before; releasing both would let a reader subtract.
-- Parameters: period_key, spec_version, courses (text array).
-- Grain: one row.
-- Idempotency: reads only.
SELECT COUNT(DISTINCT m.course_id) AS courses
FROM gov.release_master AS m
INNER JOIN gov.release_register AS r
    ON m.period_key = r.period_key AND m.spec_version = r.spec_version
WHERE m.period_key = :period_key AND m.spec_version <> :spec_version AND m.course_id = ANY(:courses)
