-- Purpose: the beginning of the report of a published inventory, in which its maps stand.
-- Parameters: :snapshot_id. Grain: one row or none. Idempotency: reads only.
SELECT substring(o.body FROM 1 FOR 3000000) AS beginning
FROM gov.inventory_output AS o
INNER JOIN gov.inventory_snapshot AS s ON o.snapshot_id = s.snapshot_id
WHERE o.snapshot_id = :snapshot_id AND o.name = 'report.html' AND s.published_at IS NOT NULL
