-- Purpose: what a run has counted so far.
-- Parameters: run_id. Grain: run. Idempotency: reads only.
SELECT facts FROM gov.run
WHERE run_id = :run_id
