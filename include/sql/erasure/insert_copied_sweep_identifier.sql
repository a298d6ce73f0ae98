-- Purpose: a reference for later sweeps as its copy says it.
-- Parameters: case_id, kind, hmac, key_id, until. Grain: reference. Idempotency: written once.
INSERT INTO gov.sweep_identifier (case_id, kind, hmac, key_id, until)
VALUES (cast(:case_id AS uuid), :kind, :hmac, :key_id, cast(:until AS date))
ON CONFLICT (case_id, kind, hmac, key_id) DO NOTHING
