-- Purpose: how a replay ended: ready, or what a last search still found.
-- Parameters: restore_id, state, residual, at. Grain: restore. Idempotency: sets what is true.
UPDATE gov.restore SET state = :state, residual = :residual, ready_at = :at
WHERE restore_id = :restore_id
