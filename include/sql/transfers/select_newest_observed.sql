-- Purpose: the newest look at the world that was judged.
-- Parameters: none.
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    snapshot_id,
    taken_at,
    judged_on
FROM gov.inventory_snapshot
WHERE basis = 'observed' AND inventory_sha256 IS NOT NULL
ORDER BY taken_at DESC, snapshot_id DESC
LIMIT 1
