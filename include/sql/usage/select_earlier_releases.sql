-- Purpose: the releases that a newer revision takes the place of, the withdrawn too: who was given them may have them.
-- Parameters: product, recipient_id, period_key, revision (only those below it).
-- Grain: one row per release, the oldest revision first.
-- Idempotency: reads only.
SELECT
    r.release_id,
    r.object_prefix,
    r.pack_sha256
FROM gov.release_register AS r
WHERE
    r.product = :product AND r.recipient_id = :recipient_id AND r.period_key = :period_key
    AND r.revision < :revision
ORDER BY r.revision ASC, r.release_id ASC
