-- Purpose: confirmed proposals are about to be carried out: written ahead before a text is touched.
-- Parameters: at. Grain: proposal. Idempotency: once.
UPDATE gov.redaction SET
    state = 'intended',
    intent_at = :at
WHERE state = 'confirmed'
RETURNING redaction_id, case_id, table_name, column_name, firsts, lasts, text_sha256
