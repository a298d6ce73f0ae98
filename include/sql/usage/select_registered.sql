-- Purpose: releases of a week with what was published and whether it was withdrawn since.
-- Parameters: iso_week.
-- Grain: one row per release.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.product,
    r.recipient_id,
    r.spec_version,
    r.object_prefix,
    r.files,
    r.pack_sha256,
    r.n_rows,
    r.n_withheld,
    r.entitlement,
    EXISTS(
        SELECT 1 FROM gov.release_event AS w
        WHERE w.release_id = r.release_id AND w.kind = 'withdrawn'
    ) AS withdrawn
FROM gov.release_register AS r
WHERE r.iso_week = :iso_week
ORDER BY r.release_id
