-- Purpose: how many entries of the suppression list keep whom from what. Parameters: none. Grain: reason and block.
-- Idempotency: reads only.
SELECT
    reason,
    block,
    sum(entries) AS entries,
    min(first_ends) AS first_ends
FROM gov.suppression_count
GROUP BY reason, block
ORDER BY reason, block
