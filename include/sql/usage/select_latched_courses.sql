-- Purpose: courses that had enough learners in a period that ended by then. They stay open: a course that falls back
-- through an erasure must not fall silent.
-- Parameters: ends_at, courses (text array).
-- Grain: one row per course.
-- Idempotency: reads only.
SELECT DISTINCT m.course_id
FROM gov.release_master AS m
WHERE m.lifetime_reached AND m.ends_at <= :ends_at AND m.course_id = ANY(:courses)
