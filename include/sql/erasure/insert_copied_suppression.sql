-- Purpose: an entry of the suppression list as its copy says it.
-- Parameters: hmac, id_type, key_id, reason, block, valid_until, case_id, created_at. Grain: entry.
-- Idempotency: written once.
INSERT INTO gov.suppression_entry (hmac, id_type, key_id, reason, block, valid_until, case_id, created_at)
VALUES (
    :hmac, :id_type, :key_id, :reason, :block, cast(:valid_until AS date), cast(:case_id AS uuid),
    cast(:created_at AS timestamptz)
)
ON CONFLICT (hmac, id_type, key_id, block, case_id) DO NOTHING
