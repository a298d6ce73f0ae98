-- Purpose: what a party knows a person by, encrypted.
-- Parameters: instruction_id, key_id, nonce, sealed, at, expires_at. Grain: instruction. Idempotency: written once.
INSERT INTO gov.work_item (instruction_id, key_id, nonce, sealed, created_at, expires_at)
VALUES (:instruction_id, :key_id, :nonce, :sealed, :at, :expires_at)
ON CONFLICT (instruction_id) DO NOTHING
