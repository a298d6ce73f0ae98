-- Purpose: rows of others in which something of an erased person was found and not settled.
-- Parameters: none. Grain: finding. Idempotency: reads only.
SELECT
    finding_id,
    case_id,
    asset,
    row_key,
    found_at
FROM gov.return_finding
WHERE verdict = 'mention' AND settled_at IS NULL AND row_key IS NOT NULL
ORDER BY found_at, finding_id
