-- Purpose: binds findings and hashes of the rendered files to the snapshot; outputs written before are void.
-- Parameters: :snapshot_id, :findings (JSON), :inventory_sha256, :findings_sha256.
-- Grain: one snapshot.
-- Idempotency: the same judgement writes the same.
UPDATE gov.inventory_snapshot SET
    findings = CAST(:findings AS jsonb),
    inventory_sha256 = :inventory_sha256,
    findings_sha256 = :findings_sha256,
    outputs_sha256 = NULL
WHERE snapshot_id = :snapshot_id
