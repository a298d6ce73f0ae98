-- Purpose: keeps the differences of a run from the inventory before.
-- Parameters: :snapshot_id, :rows (JSON array).
-- Grain: one difference.
-- Idempotency: after delete_changes, the same rows.
INSERT INTO gov.inventory_change (
    snapshot_id, change_no, kind, flow_key, place, nature, country, importer, regime, before, after, explanation
)
SELECT
    :snapshot_id,
    r.change_no,
    r.kind,
    r.flow_key,
    r.place,
    r.nature,
    r.country,
    r.importer,
    r.regime,
    r.before,
    r.after,
    r.explanation
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (
    change_no int, kind text, flow_key text, place text, nature text, country text, importer text, regime text,
    before text, after text, explanation text
)
