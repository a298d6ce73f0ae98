-- Purpose: confirmed proposals are about to be carried out: written ahead before a text is touched.
-- Parameters: at, proven (uuid[] of proposals whose answers were counted once more). Grain: proposal.
-- Idempotency: once.
UPDATE gov.redaction SET
    state = 'intended',
    intent_at = :at
WHERE state = 'confirmed' AND redaction_id = ANY(CAST(:proven AS uuid[]))
RETURNING redaction_id, case_id, table_name, column_name, firsts, lasts, text_sha256
