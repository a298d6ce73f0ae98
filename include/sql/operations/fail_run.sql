-- Purpose: a run whose task failed for good is not open any more. A run that goes on after a clear closes itself anew.
-- Parameters: run_id, at. Grain: at most one run. Idempotency: the second time nothing is open.
UPDATE gov.run SET state = 'failed', closed_at = :at
WHERE run_id = :run_id AND state = 'open'
