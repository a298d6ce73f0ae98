-- Purpose: makes way for the counts of a repeated observation.
-- Parameters: :snapshot_id.
-- Grain: the counts of one snapshot.
-- Idempotency: deletes what is there.
DELETE FROM gov.access_by_country AS a WHERE a.snapshot_id = :snapshot_id
