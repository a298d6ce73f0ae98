-- Purpose: verdicts of a snapshot per regime.
-- Parameters: :snapshot_id.
-- Grain: one regime and verdict.
-- Idempotency: read only.
SELECT
    regime,
    verdict,
    count(*) AS n
FROM gov.flow_verdict
WHERE snapshot_id = :snapshot_id
GROUP BY regime, verdict
