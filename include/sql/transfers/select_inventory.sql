-- Purpose: the inventory as it is published: one line per flow, both regimes.
-- Parameters: :snapshot_id.
-- Grain: one flow.
-- Idempotency: read only; the same facts give the same lines on any day.
SELECT
    f.place,
    f.nature,
    f.country,
    f.importer,
    f.facts -> 'importer' ->> 'name' AS importer_name,
    f.facts -> 'importer' ->> 'relationship' AS relationship,
    f.transfer_id,
    f.detail,
    f.seen_by,
    f.personal,
    f.special_category,
    f.facts ->> 'children' AS children,
    f.facts -> 'purposes' AS purposes,
    uk.verdict AS uk_verdict,
    uk.instrument AS uk_instrument,
    uk.expires_on AS uk_expires_on,
    uk.flags AS uk_flags,
    uk.reasons AS uk_reasons,
    eu.verdict AS eu_verdict,
    eu.instrument AS eu_instrument,
    eu.expires_on AS eu_expires_on,
    eu.flags AS eu_flags,
    eu.by_state AS eu_by_state,
    eu.reasons AS eu_reasons,
    f.facts ->> 'owner' AS owner,
    f.facts ->> 'note' AS note
FROM gov.inventory_flow AS f
LEFT JOIN gov.flow_verdict AS uk
    ON f.snapshot_id = uk.snapshot_id AND f.flow_key = uk.flow_key AND uk.regime = 'UK'
LEFT JOIN gov.flow_verdict AS eu
    ON f.snapshot_id = eu.snapshot_id AND f.flow_key = eu.flow_key AND eu.regime = 'EU'
WHERE f.snapshot_id = :snapshot_id
