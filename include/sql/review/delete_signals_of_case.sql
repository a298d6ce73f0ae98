-- Purpose: forget where the evidence of a cleared case stands. Parameters: case_id. Grain: evidence.
-- Idempotency: what is gone stays gone.
DELETE FROM gov.minor_signal WHERE case_id = :case_id
