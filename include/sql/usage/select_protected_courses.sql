-- Purpose: courses of some periods that have protected cells which count, for a correction to count them again.
-- Parameters: periods (text array), spec_version.
-- Grain: one row per course and period.
-- Idempotency: reads only.
SELECT
    m.period_key,
    m.course_id
FROM gov.release_master AS m
WHERE m.period_key = ANY(:periods) AND m.spec_version = :spec_version AND m.revision = 0
ORDER BY m.period_key, m.course_id
