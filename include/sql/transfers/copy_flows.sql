-- Purpose: the flows of a stored snapshot, to be judged again under another one.
-- Parameters: :snapshot_id, :source (snapshot that they were stored with).
-- Grain: one flow.
-- Idempotency: after delete_flows, the same rows.
INSERT INTO gov.inventory_flow (
    snapshot_id, flow_key, place, nature, country, importer, transfer_id, personal, special_category, seen_by,
    detail, destination, facts
)
SELECT
    :snapshot_id,
    flow_key,
    place,
    nature,
    country,
    importer,
    transfer_id,
    personal,
    special_category,
    seen_by,
    detail,
    destination,
    facts
FROM gov.inventory_flow
WHERE snapshot_id = :source
