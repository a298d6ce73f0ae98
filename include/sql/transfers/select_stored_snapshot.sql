-- Purpose: what was observed on a day: the last published snapshot, or else the last one that was judged.
-- Parameters: :since, :until (instants; until is not included).
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    snapshot_id,
    taken_at,
    registry_sha256,
    map_sha256,
    observers,
    geoip
FROM gov.inventory_snapshot
WHERE basis = 'observed' AND inventory_sha256 IS NOT NULL AND taken_at >= :since AND taken_at < :until
ORDER BY (published_at IS NOT NULL) DESC, taken_at DESC, snapshot_id DESC
LIMIT 1
