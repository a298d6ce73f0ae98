-- Purpose: what the registry says of each transfer.
-- Parameters: :rows (JSON array), :registry_sha256.
-- Grain: one transfer.
-- Idempotency: the same registry changes nothing.
INSERT INTO gov.transfer (
    transfer_id,
    importer,
    exporter_role,
    purposes,
    mechanisms,
    flows,
    special_category,
    children,
    owner,
    review_on,
    registry_sha256,
    withdrawn
)
SELECT
    r.transfer_id,
    r.importer,
    r.exporter_role,
    r.purposes,
    r.mechanisms,
    r.flows,
    r.special_category,
    r.children,
    r.owner,
    r.review_on,
    :registry_sha256,
    false AS withdrawn
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (
            transfer_id text,
            importer text,
            exporter_role text,
            purposes text[],
            mechanisms text[],
            flows jsonb,
            special_category boolean,
            children boolean,
            owner text,
            review_on date
        )
ON CONFLICT (transfer_id) DO UPDATE SET
    importer = excluded.importer,
    exporter_role = excluded.exporter_role,
    purposes = excluded.purposes,
    mechanisms = excluded.mechanisms,
    flows = excluded.flows,
    special_category = excluded.special_category,
    children = excluded.children,
    owner = excluded.owner,
    review_on = excluded.review_on,
    registry_sha256 = excluded.registry_sha256,
    withdrawn = false
