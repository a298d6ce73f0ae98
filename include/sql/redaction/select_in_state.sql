-- Purpose: proposals in one state, oldest first.
-- Parameters: state. Grain: proposal. Idempotency: reads only.
SELECT
    redaction_id,
    case_id,
    table_name,
    column_name,
    row_key,
    firsts,
    lasts,
    text_sha256,
    result_sha256
FROM gov.redaction
WHERE state = :state
ORDER BY proposed_at, redaction_id
