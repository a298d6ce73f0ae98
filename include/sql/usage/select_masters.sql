-- Purpose: protected cells of courses in some periods: of the newest revision that was released, or of a named one that
-- is being made. What a correction protected that was refused is never read again.
-- Parameters: periods (text array), spec_version, courses (text array), revision (0: none is being made), least (the
-- lowest revision that will do).
-- Grain: one row per course and period.
-- Idempotency: reads only.
SELECT DISTINCT ON (m.course_id, m.period_key)
    m.course_id,
    m.period_key,
    m.cells,
    m.sha256
FROM gov.release_master AS m
WHERE
    m.period_key = ANY(:periods) AND m.spec_version = :spec_version AND m.course_id = ANY(:courses)
    AND m.revision >= :least
    AND (
        m.revision IN (0, :revision)
        OR EXISTS (SELECT 1 FROM gov.release_register AS r WHERE r.revision = m.revision)
    )
ORDER BY m.course_id ASC, m.period_key ASC, m.revision DESC
