-- Purpose: one agreement as the registry file has it.
-- Parameters: id, recipient, clauses (text array), valid_from, valid_to.
-- Grain: one row.
-- Idempotency: the same row however often it runs.
INSERT INTO gov.agreement (agreement_id, recipient_id, clauses, valid_from, valid_to)
VALUES (:id, :recipient, CAST(:clauses AS text[]), :valid_from, :valid_to)
ON CONFLICT (agreement_id) DO UPDATE
    SET
        recipient_id = excluded.recipient_id,
        clauses = excluded.clauses,
        valid_from = excluded.valid_from,
        valid_to = excluded.valid_to
