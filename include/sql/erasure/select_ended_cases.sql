-- Purpose: erased cases whose suppression has ended: their people may have come back lawfully.
-- Parameters: today. Grain: case. Idempotency: reads only.
SELECT case_id FROM gov.suppression_entry
GROUP BY case_id
HAVING max(valid_until) < :today
