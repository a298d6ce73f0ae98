-- Purpose: the inventory files of a snapshot are out.
-- Parameters: :snapshot_id, :at, :prefix.
-- Grain: one snapshot.
-- Idempotency: keeps the first time.
UPDATE gov.inventory_snapshot SET published_at = coalesce(published_at, :at), object_prefix = :prefix
WHERE snapshot_id = :snapshot_id
