-- Purpose: removes the flows of a snapshot that is taken anew.
-- Parameters: :snapshot_id.
-- Grain: all flows of one snapshot.
-- Idempotency: nothing is left to remove.
DELETE FROM gov.inventory_flow WHERE snapshot_id = :snapshot_id
