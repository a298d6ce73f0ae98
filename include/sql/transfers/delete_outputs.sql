-- Purpose: removes the outputs of a run that are written anew.
-- Parameters: :snapshot_id.
-- Grain: all outputs of one snapshot.
-- Idempotency: nothing is left to remove; refused once the inventory is published.
DELETE FROM gov.inventory_output WHERE snapshot_id = :snapshot_id
