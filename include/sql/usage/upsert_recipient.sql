-- Purpose: one recipient as the registry file has it.
-- Parameters: id, kind, name, country, status.
-- Grain: one row.
-- Idempotency: the same row however often it runs.
INSERT INTO gov.recipient (recipient_id, kind, legal_name, country, status)
VALUES (:id, :kind, :name, :country, :status)
ON CONFLICT (recipient_id) DO UPDATE
    SET kind = excluded.kind, legal_name = excluded.legal_name, country = excluded.country, status = excluded.status
