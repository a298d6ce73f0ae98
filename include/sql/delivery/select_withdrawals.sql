-- Purpose: when and why releases were withdrawn; the first withdrawal stands.
-- Parameters: releases (text array).
-- Grain: one row per withdrawn release.
-- Idempotency: reads only.
SELECT DISTINCT ON (w.release_id)
    w.release_id,
    w.at,
    w.reason
FROM gov.release_event AS w
WHERE w.kind = 'withdrawn' AND w.release_id = ANY(CAST(:releases AS text[]))
ORDER BY w.release_id, w.release_event_id
