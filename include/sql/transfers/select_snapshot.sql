-- Purpose: the snapshot of a run.
-- Parameters: :run_id.
-- Grain: one row or none.
-- Idempotency: read only.
SELECT * FROM gov.inventory_snapshot WHERE run_id = :run_id
