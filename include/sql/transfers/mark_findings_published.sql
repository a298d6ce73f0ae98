-- Purpose: the findings of a snapshot are out.
-- Parameters: :snapshot_id, :at.
-- Grain: one snapshot.
-- Idempotency: keeps the first time.
UPDATE gov.inventory_snapshot SET findings_published_at = coalesce(findings_published_at, :at)
WHERE snapshot_id = :snapshot_id
