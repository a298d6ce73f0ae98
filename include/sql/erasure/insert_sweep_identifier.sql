-- Purpose: keep a keyed reference for later sweeps.
-- Parameters: case_id, kind, hmac, key_id, until. Grain: case and identifier. Idempotency: written once.
INSERT INTO gov.sweep_identifier (case_id, kind, hmac, key_id, until)
VALUES (:case_id, :kind, :hmac, :key_id, :until)
ON CONFLICT (case_id, kind, hmac, key_id) DO NOTHING
