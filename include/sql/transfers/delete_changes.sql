-- Purpose: removes the differences of a run that are found anew.
-- Parameters: :snapshot_id.
-- Grain: all differences of one snapshot.
-- Idempotency: nothing is left to remove; refused once the inventory is published.
DELETE FROM gov.inventory_change WHERE snapshot_id = :snapshot_id
