-- Purpose: runs that have not ended, whether somebody was asked in them, and whether a failure was told already.
-- Parameters: since. Grain: run. Idempotency: reads only.
SELECT
    r.run_id,
    r.dag_id,
    r.as_of,
    r.run_type,
    exists(
        SELECT 1 FROM gov.operator_alert AS a WHERE a.run_id = r.run_id AND a.kind = 'approval_waiting'
    ) AS asked
FROM gov.run AS r
WHERE r.state = 'open' AND r.as_of > :since
