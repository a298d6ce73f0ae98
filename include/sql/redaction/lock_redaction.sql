-- Purpose: one proposal, until the transaction ends.
-- Parameters: redaction_id. Grain: proposal. Idempotency: reads only.
SELECT
    redaction_id,
    case_id,
    table_name,
    column_name,
    row_key,
    firsts,
    lasts,
    text_sha256,
    state
FROM gov.redaction
WHERE redaction_id = :redaction_id
FOR UPDATE
