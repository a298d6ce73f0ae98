-- Purpose: the whole suppression list in order, to copy it.
-- Parameters: none.
-- Grain: one row per entry.
-- Idempotency: reads only.
SELECT
    suppression_id,
    hmac,
    id_type,
    key_id,
    reason,
    block,
    valid_until,
    case_id,
    created_at
FROM gov.suppression_entry
ORDER BY suppression_id
