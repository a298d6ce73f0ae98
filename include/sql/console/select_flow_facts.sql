-- Purpose: everything that the judgement of flows read, to judge them otherwise.
-- Parameters: snapshot_id, flow_key (NULL: all), most. Grain: flow. Idempotency: reads only.
SELECT
    f.flow_key,
    f.place,
    f.country,
    f.importer,
    f.facts,
    (
        SELECT jsonb_object_agg(v.regime, v.verdict) FROM gov.flow_verdict AS v
        WHERE v.snapshot_id = f.snapshot_id AND v.flow_key = f.flow_key
    ) AS verdicts
FROM gov.inventory_flow AS f
WHERE f.snapshot_id = :snapshot_id AND (cast(:flow_key AS text) IS NULL OR f.flow_key = :flow_key)
ORDER BY f.place, f.flow_key
LIMIT :most
