-- Purpose: new states of declarations.
-- Parameters: :rows (JSON array of section, name, body), :at, :by.
-- Grain: one declaration that changed.
-- Idempotency: the caller adds only what differs from the newest row, under the lock.
INSERT INTO gov.registry_entry (section, name, body, recorded_at, recorded_by)
SELECT
    r.section,
    r.name,
    r.body,
    :at,
    :by
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (section text, name text, body jsonb)
