-- Purpose: forget what no sweep looks for any more: the time is over, and the last sweep of the case is done.
-- Parameters: today, last_day. Grain: identifier. Idempotency: forgotten is forgotten.
DELETE FROM gov.sweep_identifier AS i
WHERE
    i.until < :today
    AND EXISTS (SELECT 1 FROM gov.sweep AS s WHERE s.case_id = i.case_id AND s.after_days >= :last_day)
