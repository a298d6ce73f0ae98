-- Purpose: one release as the register has it, for people.
-- Parameters: release_id.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    r.iso_week,
    r.released_at,
    r.spec_version,
    r.pack_sha256,
    r.object_prefix,
    r.files
FROM gov.release_register AS r
WHERE r.release_id = :release_id
