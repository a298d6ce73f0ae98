-- Purpose: the outputs of a run.
-- Parameters: :snapshot_id.
-- Grain: one file.
-- Idempotency: read only.
SELECT
    name,
    media_type,
    sha256,
    body,
    object_key
FROM gov.inventory_output
WHERE snapshot_id = :snapshot_id
ORDER BY name
