-- Purpose: a page that a run of the transfer inventory published, as it was judged.
-- Parameters: :snapshot_id, :name.
-- Grain: one row or none; nothing before it is published.
-- Idempotency: read only.
SELECT o.body
FROM gov.inventory_output AS o
INNER JOIN gov.inventory_snapshot AS s ON o.snapshot_id = s.snapshot_id
WHERE o.snapshot_id = :snapshot_id AND o.name = :name AND s.published_at IS NOT NULL
