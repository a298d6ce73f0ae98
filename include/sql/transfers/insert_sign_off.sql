-- Purpose: who stands behind an inventory.
-- Parameters: :snapshot_id, :inventory_sha256, :approver, :approver_name, :role, :signed_at.
-- Grain: one per inventory.
-- Idempotency: the first stays.
INSERT INTO gov.inventory_sign_off (snapshot_id, inventory_sha256, approver, approver_name, role, signed_at)
VALUES (:snapshot_id, :inventory_sha256, :approver, :approver_name, :role, :signed_at)
ON CONFLICT (snapshot_id) DO NOTHING
