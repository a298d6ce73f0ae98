-- Purpose: note what happened to a delivery. A release is prepared and recalled once; a request is counted once.
-- Parameters: release_id, kind, at, run_id, reason, said_by, object_key, sha256, bytes, version_id, mail_id, country,
-- expires_at, request_ref.
-- Grain: one row.
-- Idempotency: what may be only once is left as it was noted first.
INSERT INTO gov.release_delivery
(
    release_id, kind, at, run_id, reason, said_by, object_key, sha256, bytes, version_id, mail_id, country, expires_at,
    request_ref
)
VALUES
(
    :release_id, :kind, :at, :run_id, :reason, :said_by, :object_key, :sha256, :bytes, :version_id, :mail_id,
    :country, :expires_at, :request_ref
)
ON CONFLICT DO NOTHING
