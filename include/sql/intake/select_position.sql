-- Purpose: up to when the intake has read; before its first run, when the last whole detection looked.
-- Parameters: name, dag_id (of the whole detection). Grain: one row; position NULL when nobody ever looked.
-- Idempotency: reads only.
SELECT
    COALESCE(
        (SELECT c.position FROM gov.intake_cursor AS c WHERE c.name = :name),
        (
            SELECT MAX(r.as_of) FROM gov.run AS r
            WHERE r.dag_id = :dag_id AND NOT r.dry_run AND r.facts ? 'detection'
        )
    ) AS position
