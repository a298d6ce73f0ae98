-- Purpose: how many cases should have been decided by people before today. Parameters: today. Grain: one row.
-- Idempotency: reads only.
SELECT count(*) AS late
FROM gov.minor_case
WHERE
    review_due < :today AND decision IS NULL AND state NOT IN ('CLOSED', 'CLEARED')
