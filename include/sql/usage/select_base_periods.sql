-- Purpose: base periods that were decided for a quarter.
-- Parameters: quarter, courses (text array).
-- Grain: one row per course.
-- Idempotency: reads only.
SELECT
    b.course_id,
    b.base
FROM gov.release_base_period AS b
WHERE b.quarter = :quarter AND b.course_id = ANY(:courses)
