-- Purpose: the question about a case was answered; the next run may ask again if it is still undecided.
-- Parameters: case_id. Grain: case. Idempotency: the same however often.
UPDATE gov.minor_case SET asked_until = NULL WHERE case_id = :case_id
