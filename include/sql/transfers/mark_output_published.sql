-- Purpose: notes where an output stands in the evidence bucket.
-- Parameters: :snapshot_id, :name, :object_key.
-- Grain: one file.
-- Idempotency: noted once.
UPDATE gov.inventory_output SET object_key = :object_key
WHERE snapshot_id = :snapshot_id AND name = :name AND object_key IS NULL
