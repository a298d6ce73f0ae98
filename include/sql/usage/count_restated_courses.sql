-- Purpose: courses whose week was protected under other rules before; releasing both would let a reader subtract.
-- Parameters: iso_week, spec_version, courses (text array).
-- Grain: one row.
-- Idempotency: reads only.
SELECT COUNT(DISTINCT m.course_id) AS courses
FROM gov.release_master AS m
INNER JOIN gov.release_register AS r
    ON m.iso_week = r.iso_week AND m.spec_version = r.spec_version
WHERE m.iso_week = :iso_week AND m.spec_version <> :spec_version AND m.course_id = ANY(:courses)
