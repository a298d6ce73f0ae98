-- Purpose: remember where a supplement lies.
-- Parameters: case_id, number, bucket, object_key, sha256, told_sha256, at. Grain: supplement.
-- Idempotency: each number once.
INSERT INTO gov.certificate_supplement (case_id, number, bucket, object_key, sha256, told_sha256, issued_at)
VALUES (:case_id, :number, :bucket, :object_key, :sha256, :told_sha256, :at)
ON CONFLICT (case_id, number) DO NOTHING
