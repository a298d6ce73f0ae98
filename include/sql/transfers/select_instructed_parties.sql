-- Purpose: parties that were told about erasures.
-- Parameters: none.
-- Grain: one party.
-- Idempotency: read only.
SELECT i.party
FROM gov.downstream_instruction AS i
WHERE i.instructed_at IS NOT NULL
GROUP BY i.party
ORDER BY i.party
