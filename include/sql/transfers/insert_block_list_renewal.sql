-- Purpose: notes that a run looked at everything and set the block list.
-- Parameters: :run_id, :at (as-of of the run).
-- Grain: one run.
-- Idempotency: noted once.
INSERT INTO gov.block_list_renewal (renewed_at, run_id) VALUES (:at, :run_id) ON CONFLICT DO NOTHING
