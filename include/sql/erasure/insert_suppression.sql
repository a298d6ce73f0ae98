-- Purpose: keep an erased identifier from coming back.
-- Parameters: hmac, id_type, key_id, valid_until, case_id, at. Grain: identifier and case.
-- Idempotency: the same entry is written once.
INSERT INTO gov.suppression_entry (hmac, id_type, key_id, reason, block, valid_until, case_id, created_at)
VALUES (:hmac, :id_type, :key_id, 'MINOR', 'IMPORT_RESTORE', :valid_until, :case_id, :at)
ON CONFLICT (hmac, id_type, key_id, block, case_id) DO NOTHING
