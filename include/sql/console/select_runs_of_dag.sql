-- Purpose: the newest runs of one DAG as they were recorded. Parameters: dag_id, most. Grain: run, newest first.
-- Idempotency: reads only.
SELECT
    run_id,
    as_of,
    run_type,
    dry_run,
    state,
    closed_at
FROM gov.run
WHERE dag_id = :dag_id
ORDER BY as_of DESC
LIMIT :most
