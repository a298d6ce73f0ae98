-- Purpose: whether a later look at the world has published its findings already.
-- Parameters: :taken_at, :run_id.
-- Grain: one row.
-- Idempotency: read only.
SELECT
    EXISTS(
        SELECT 1 FROM gov.inventory_snapshot
        WHERE
            basis = 'observed' AND findings_published_at IS NOT NULL AND run_id <> :run_id AND taken_at > :taken_at
    ) AS newer
