-- Purpose: erasing waits until the moment that the notice names. Parameters: case_id, until. Grain: case.
-- Idempotency: a second copy of the notice names its own moment.
UPDATE gov.minor_case SET erase_after = :until
WHERE case_id = :case_id AND state IN ('RESTRICTED', 'ON_HOLD')
