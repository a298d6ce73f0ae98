-- Purpose: differences of a run that nothing explains.
-- Parameters: :snapshot_id.
-- Grain: one row.
-- Idempotency: read only.
SELECT count(*) AS n FROM gov.inventory_change
WHERE snapshot_id = :snapshot_id AND explanation = 'unexplained'
