-- Purpose: one release as the register has it, for people.
-- Parameters: release_id.
-- Grain: at most one row.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    r.period_key,
    r.released_at,
    r.spec_version,
    r.pack_sha256,
    r.object_prefix,
    r.files,
    r.utility,
    r.supersedes,
    (SELECT c.release_id FROM gov.release_register AS c WHERE c.supersedes = r.release_id) AS superseded_by,
    (SELECT k.reason FROM gov.release_correction AS k WHERE k.revision = r.revision) AS corrected_because
FROM gov.release_register AS r
WHERE r.release_id = :release_id
