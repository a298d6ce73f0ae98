-- Purpose: removes the verdicts of a snapshot that is judged anew.
-- Parameters: :snapshot_id.
-- Grain: all verdicts of one snapshot.
-- Idempotency: nothing is left to remove.
DELETE FROM gov.flow_verdict WHERE snapshot_id = :snapshot_id
