-- Purpose: the flows of an inventory with both regimes' verdicts, by key.
-- Parameters: snapshot_id, verdict and country (NULL: all), flow_key (NULL: from the first), most. Grain: flow.
-- Idempotency: reads only. The page is cut before its verdicts are read.
WITH page AS (
    SELECT
        f.snapshot_id,
        f.flow_key,
        f.place,
        f.nature,
        f.country,
        f.importer,
        f.facts -> 'importer' ->> 'name' AS importer_name,
        f.transfer_id,
        f.detail,
        f.personal,
        f.special_category
    FROM gov.inventory_flow AS f
    WHERE
        f.snapshot_id = :snapshot_id
        AND f.flow_key > coalesce(cast(:flow_key AS text), '')
        AND (
            cast(:verdict AS text) IS NULL
            OR f.flow_key IN (
                SELECT v.flow_key FROM gov.flow_verdict AS v
                WHERE v.snapshot_id = :snapshot_id AND v.verdict = :verdict
            )
        )
        AND (cast(:country AS text) IS NULL OR coalesce(f.country, '?') = :country)
    ORDER BY f.flow_key
    LIMIT :most
)

SELECT
    p.flow_key,
    p.place,
    p.nature,
    p.country,
    p.importer,
    p.importer_name,
    p.transfer_id,
    p.detail,
    p.personal,
    p.special_category,
    uk.verdict AS uk_verdict,
    uk.instrument AS uk_instrument,
    uk.reasons AS uk_reasons,
    eu.verdict AS eu_verdict,
    eu.instrument AS eu_instrument,
    eu.reasons AS eu_reasons
FROM page AS p
LEFT JOIN gov.flow_verdict AS uk
    ON p.snapshot_id = uk.snapshot_id AND p.flow_key = uk.flow_key AND uk.regime = 'UK'
LEFT JOIN gov.flow_verdict AS eu
    ON p.snapshot_id = eu.snapshot_id AND p.flow_key = eu.flow_key AND eu.regime = 'EU'
ORDER BY p.flow_key
