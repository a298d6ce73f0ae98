-- Purpose: one run as it was recorded. Parameters: run_id. Grain: at most one row. Idempotency: reads only.
SELECT
    run_id,
    dag_id,
    as_of,
    run_type,
    dry_run,
    note,
    state,
    closed_at,
    code_version,
    facts
FROM gov.run
WHERE run_id = :run_id
