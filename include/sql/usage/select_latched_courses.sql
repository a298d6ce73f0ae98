-- Purpose: courses that had enough learners in an earlier or the same week. They stay open: a course that falls
-- back through an erasure must not fall silent.
-- Parameters: iso_week, courses (text array).
-- Grain: one row per course.
-- Idempotency: reads only.
SELECT DISTINCT m.course_id
FROM gov.release_master AS m
WHERE m.lifetime_reached AND m.iso_week <= :iso_week AND m.course_id = ANY(:courses)
