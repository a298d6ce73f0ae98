-- Purpose: binds findings and hashes of the rendered files to the snapshot.
-- Parameters: :snapshot_id, :findings (JSON), :inventory_sha256, :findings_sha256.
-- Grain: one snapshot.
-- Idempotency: the same judgement writes the same.
UPDATE gov.inventory_snapshot SET
    findings = CAST(:findings AS jsonb),
    inventory_sha256 = :inventory_sha256,
    findings_sha256 = :findings_sha256
WHERE snapshot_id = :snapshot_id
