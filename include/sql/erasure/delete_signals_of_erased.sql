-- Purpose: forget what cases stood on that the ledger says were erased.
-- Parameters: none. Grain: signal. Idempotency: forgotten is forgotten.
DELETE FROM gov.minor_signal AS s USING gov.erasure_ledger AS l
WHERE l.case_id = s.case_id AND l.kind = 'erased'
