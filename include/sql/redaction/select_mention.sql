-- Purpose: one row of others in which something of an erased person was found and not settled.
-- Parameters: finding_id. Grain: finding, or none. Idempotency: reads only.
SELECT
    case_id,
    asset,
    row_key
FROM gov.return_finding
WHERE finding_id = :finding_id AND verdict = 'mention' AND settled_at IS NULL AND row_key IS NOT NULL
