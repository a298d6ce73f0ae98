-- Purpose: the flows of a snapshot with their verdicts, to compare with those of another.
-- Parameters: :snapshot_id.
-- Grain: one flow; verdicts is an object by regime.
-- Idempotency: read only.
SELECT
    f.flow_key,
    f.place,
    f.nature,
    f.country,
    f.importer,
    f.transfer_id,
    f.seen_by,
    f.facts,
    (
        SELECT
            coalesce(
                jsonb_object_agg(
                    v.regime,
                    jsonb_build_object(
                        'verdict', v.verdict, 'instrument', v.instrument, 'expires_on', v.expires_on,
                        'reasons', v.reasons
                    )
                ),
                '{}'
            )
        FROM gov.flow_verdict AS v
        WHERE v.snapshot_id = f.snapshot_id AND v.flow_key = f.flow_key
    ) AS verdicts
FROM gov.inventory_flow AS f
WHERE f.snapshot_id = :snapshot_id
