-- Purpose: protected cells of a week.
-- Parameters: iso_week, spec_version, courses (text array).
-- Grain: one row per course.
-- Idempotency: reads only.
SELECT
    m.course_id,
    m.cells,
    m.sha256,
    m.lifetime_reached
FROM gov.release_master AS m
WHERE m.iso_week = :iso_week AND m.spec_version = :spec_version AND m.course_id = ANY(:courses)
ORDER BY m.course_id
