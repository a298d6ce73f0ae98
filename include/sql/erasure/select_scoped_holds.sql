-- Purpose: standing holds over parts of a case.
-- Parameters: none. Grain: hold. Idempotency: reads only.
SELECT
    hold_id,
    scope
FROM gov.legal_hold
WHERE released_at IS NULL AND scope <> '{}'
ORDER BY hold_id
