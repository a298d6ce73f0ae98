-- Purpose: one recipient as the registry file has it; of its mail address only a keyed hash.
-- Parameters: id, kind, name, country, status, contact_key_id, contact_hmac (both NULL: no address is known).
-- Grain: one row.
-- Idempotency: the same row however often it runs.
INSERT INTO gov.recipient (recipient_id, kind, legal_name, country, status, contact_key_id, contact_hmac)
VALUES (:id, :kind, :name, :country, :status, :contact_key_id, :contact_hmac)
ON CONFLICT (recipient_id) DO UPDATE
    SET
        kind = excluded.kind,
        legal_name = excluded.legal_name,
        country = excluded.country,
        status = excluded.status,
        contact_key_id = excluded.contact_key_id,
        contact_hmac = excluded.contact_hmac
