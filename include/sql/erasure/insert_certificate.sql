-- Purpose: remember where the certificate of a case lies.
-- Parameters: case_id, plan_id, bucket, object_key, sha256, told_sha256, at. Grain: case. Idempotency: one per case.
INSERT INTO gov.certificate (case_id, plan_id, bucket, object_key, sha256, told_sha256, issued_at)
VALUES (:case_id, :plan_id, :bucket, :object_key, :sha256, :told_sha256, :at)
ON CONFLICT (case_id) DO NOTHING
RETURNING case_id
