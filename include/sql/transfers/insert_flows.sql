-- Purpose: the flows of a snapshot, with all that the judgement will read.
-- Parameters: :snapshot_id, :rows (JSON array).
-- Grain: one flow.
-- Idempotency: after delete_flows, the same rows.
INSERT INTO gov.inventory_flow (
    snapshot_id, flow_key, place, nature, country, importer, transfer_id, personal, special_category, seen_by,
    detail, destination, facts
)
SELECT
    :snapshot_id,
    r.flow_key,
    r.place,
    r.nature,
    r.country,
    r.importer,
    r.transfer_id,
    r.personal,
    r.special_category,
    r.seen_by,
    r.detail,
    r.destination,
    r.facts
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (
    flow_key text, place text, nature text, country text, importer text, transfer_id text, personal boolean,
    special_category boolean, seen_by text[], detail text, destination text, facts jsonb
)
