-- Purpose: who stands behind the inventory of a run.
-- Parameters: :snapshot_id.
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    inventory_sha256,
    approver,
    approver_name,
    role,
    signed_at
FROM gov.inventory_sign_off
WHERE snapshot_id = :snapshot_id
