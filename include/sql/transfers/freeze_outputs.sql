-- Purpose: binds the outputs of a run to its snapshot.
-- Parameters: :snapshot_id, :compared_with, :outputs_sha256, :secrets.
-- Grain: one snapshot.
-- Idempotency: the same outputs write the same.
UPDATE gov.inventory_snapshot SET
    compared_with = :compared_with,
    outputs_sha256 = :outputs_sha256,
    secrets_in_outputs = :secrets
WHERE snapshot_id = :snapshot_id
