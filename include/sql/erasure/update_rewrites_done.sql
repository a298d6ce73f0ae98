-- Purpose: no version of this object holds a planned subject's row any more, but for those that are exceptions.
-- Parameters: plan_id, store, bucket, object_key, kept (version ids), reason, locked_until, what, at. Grain: version.
-- Idempotency: sets what was seen last.
UPDATE gov.erasure_rewrite SET
    state = CASE WHEN version_id = ANY(CAST(:kept AS text[])) THEN 'exception' ELSE 'done' END,
    reason = CASE WHEN version_id = ANY(CAST(:kept AS text[])) THEN :reason END,
    what = CASE WHEN version_id = ANY(CAST(:kept AS text[])) THEN :what END,
    locked_until = CASE WHEN version_id = ANY(CAST(:kept AS text[])) THEN CAST(:locked_until AS timestamptz) END,
    done_at = CASE WHEN version_id = ANY(CAST(:kept AS text[])) THEN NULL ELSE CAST(:at AS timestamptz) END
WHERE plan_id = :plan_id AND store = :store AND bucket = :bucket AND object_key = :object_key
