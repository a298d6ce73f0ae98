-- Purpose: remember a signed head that lies in the locked bucket.
-- Parameters: seq, hash, suppression_sha256, bucket, object_key, copied_at.
-- Grain: one row per object.
-- Idempotency: a copy that is remembered already is left as it is.
INSERT INTO gov.ledger_copy
(seq, hash, suppression_sha256, bucket, object_key, copied_at)
VALUES
(:seq, :hash, :suppression_sha256, :bucket, :object_key, :copied_at)
ON CONFLICT (bucket, object_key) DO NOTHING
