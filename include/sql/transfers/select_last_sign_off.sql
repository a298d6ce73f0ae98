-- Purpose: who last signed off an inventory, if lately enough.
-- Parameters: :since, :as_of.
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    approver,
    approver_name,
    role,
    signed_at,
    inventory_sha256
FROM gov.inventory_sign_off
WHERE signed_at >= :since AND signed_at <= :as_of
ORDER BY signed_at DESC, snapshot_id DESC
LIMIT 1
