-- Purpose: declarations as they stood at an instant.
-- Parameters: :at (NULL: now).
-- Grain: one name of a section; body is NULL when it was withdrawn.
-- Idempotency: read only.
SELECT DISTINCT ON (section, name)
    section,
    name,
    body
FROM gov.registry_entry
WHERE recorded_at <= coalesce(cast(:at AS timestamptz), 'infinity')
ORDER BY section ASC, name ASC, registry_entry_id DESC
