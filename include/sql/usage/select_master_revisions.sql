-- Purpose: every revision of the protected cells of courses in some periods that was released, and a named one that is
-- being made. What a correction protected that was refused is never read again.
-- Parameters: periods (text array), spec_version, courses (text array), revision (the highest; 0: none is being made).
-- Grain: one row per course, period and revision, the oldest revision first.
-- Idempotency: reads only.
SELECT
    m.course_id,
    m.period_key,
    m.revision,
    m.cells,
    m.sha256
FROM gov.release_master AS m
WHERE
    m.period_key = ANY(:periods) AND m.spec_version = :spec_version AND m.course_id = ANY(:courses)
    AND m.revision <= :revision
    AND (
        m.revision IN (0, :revision)
        OR EXISTS (SELECT 1 FROM gov.release_register AS r WHERE r.revision = m.revision)
    )
ORDER BY m.course_id ASC, m.period_key ASC, m.revision ASC
