-- Purpose: a version of a shared object that holds rows of planned subjects, or cannot be read.
-- Parameters: plan_id, store, bucket, object_key, version_id, etag, late, rows_total, rows_found, state, reason, what.
-- Grain: version. Idempotency: what was found again replaces what could not be read before, and nothing else.
INSERT INTO gov.erasure_rewrite AS w (
    plan_id, store, bucket, object_key, version_id, etag, late, rows_total, rows_found, state, reason, what
)
VALUES (
    :plan_id, :store, :bucket, :object_key, :version_id, :etag, :late, :rows_total, :rows_found, :state, :reason, :what
)
ON CONFLICT (plan_id, bucket, object_key, version_id, etag) DO UPDATE
    SET
        late = excluded.late,
        rows_total = excluded.rows_total,
        rows_found = excluded.rows_found,
        state = excluded.state,
        reason = excluded.reason,
        what = excluded.what
    WHERE w.state = 'exception'
RETURNING rewrite_no
