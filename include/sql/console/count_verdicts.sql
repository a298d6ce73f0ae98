-- Purpose: how many flows of an inventory have which verdict. Parameters: snapshot_id. Grain: regime and verdict.
-- Idempotency: reads only.
SELECT
    regime,
    verdict,
    count(*) AS flows
FROM gov.flow_verdict
WHERE snapshot_id = :snapshot_id
GROUP BY regime, verdict
ORDER BY regime, verdict
