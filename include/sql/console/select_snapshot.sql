-- Purpose: the newest inventory that looked at the world and was judged. Parameters: none. Grain: at most one row.
-- Idempotency: reads only.
SELECT
    snapshot_id,
    run_id,
    basis,
    taken_at,
    judged_on,
    known_on,
    reference_version,
    reference_reviewed_on,
    observers,
    published_at
FROM gov.inventory_snapshot
WHERE inventory_sha256 IS NOT NULL AND basis = 'observed'
ORDER BY snapshot_id DESC
LIMIT 1
