-- Purpose: the inventory to compare a run's with: the one that it judges again, else the newest published look at the
--   world before it.
-- Parameters: :taken_at, :run_id, :source_snapshot_id (NULL: it judges no other one again).
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    s.*,
    r.thresholds_sha256,
    r.code_version
FROM gov.inventory_snapshot AS s
INNER JOIN gov.run AS r ON s.run_id = r.run_id
WHERE
    s.snapshot_id = cast(:source_snapshot_id AS bigint)
    OR (
        cast(:source_snapshot_id AS bigint) IS NULL AND s.basis = 'observed' AND s.published_at IS NOT NULL
        AND s.run_id <> :run_id AND s.taken_at < :taken_at
    )
ORDER BY s.taken_at DESC, s.snapshot_id DESC
LIMIT 1
