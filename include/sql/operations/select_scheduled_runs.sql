-- Purpose: when each DAG was last started by the scheduler, and whether it ever was.
-- Parameters: none. Grain: DAG. Idempotency: reads only.
SELECT
    dag_id,
    max(as_of) AS newest,
    min(as_of) AS first
FROM gov.run
WHERE run_type = 'scheduled'
GROUP BY dag_id
