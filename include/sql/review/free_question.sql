-- Purpose: a question about a case was answered or cannot be put; the next run may ask if it is still undecided.
-- Parameters: case_id, until (of the run that asks). Grain: case.
-- Idempotency: the same however often; what another run asks meanwhile stays.
UPDATE gov.minor_case SET asked_until = NULL WHERE case_id = :case_id AND asked_until = :until
