-- Purpose: flows of a snapshot (the caller sorts).
-- Parameters: :snapshot_id.
-- Grain: one flow.
-- Idempotency: read only.
SELECT
    flow_key,
    seen_by,
    detail,
    destination,
    facts
FROM gov.inventory_flow
WHERE snapshot_id = :snapshot_id
