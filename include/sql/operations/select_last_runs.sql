-- Purpose: when each DAG last ran. Parameters: none. Grain: DAG. Idempotency: reads only.
SELECT
    dag_id,
    max(as_of) AS newest
FROM gov.run
WHERE NOT dry_run
GROUP BY dag_id
