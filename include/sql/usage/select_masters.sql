-- Purpose: protected cells of courses in some periods.
-- Parameters: periods (text array), spec_version, courses (text array).
-- Grain: one row per course and period.
-- Idempotency: reads only.
SELECT
    m.course_id,
    m.period_key,
    m.cells,
    m.sha256
FROM gov.release_master AS m
WHERE m.period_key = ANY(:periods) AND m.spec_version = :spec_version AND m.course_id = ANY(:courses)
ORDER BY m.course_id, m.period_key
