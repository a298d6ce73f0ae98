-- Purpose: the newest revision of every release of some periods, with what was published and whether it was withdrawn.
-- Parameters: periods (text array).
-- Grain: one row per product, recipient and period.
-- Idempotency: reads only.
SELECT DISTINCT ON (r.product, r.recipient_id, r.period_key)
    r.release_id,
    r.product,
    r.recipient_id,
    r.period_key,
    r.spec_version,
    r.revision,
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
WHERE r.period_key = ANY(:periods)
ORDER BY r.product ASC, r.recipient_id ASC, r.period_key ASC, r.revision DESC, r.release_id ASC
