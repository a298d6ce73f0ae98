-- Purpose: the newest real run of each job, and its newest that came to its end.
-- Parameters: dags (text array), backfilled (those of them whose backfills are real). Grain: job.
-- Idempotency: reads only.
WITH job AS (
    SELECT unnest(cast(:dags AS text[])) AS dag_id
)

SELECT
    d.dag_id,
    n.run_id,
    n.state,
    n.as_of,
    e.run_id AS done_run_id,
    e.as_of AS done_as_of,
    e.closed_at AS done_at
FROM job AS d
LEFT JOIN LATERAL (
    SELECT
        r.run_id,
        r.state,
        r.as_of
    FROM gov.run AS r
    WHERE
        r.dag_id = d.dag_id AND NOT r.dry_run
        AND (r.run_type <> 'backfill' OR r.dag_id = any(cast(:backfilled AS text[])))
    ORDER BY r.as_of DESC
    LIMIT 1
) AS n ON true
LEFT JOIN LATERAL (
    SELECT
        r.run_id,
        r.as_of,
        r.closed_at
    FROM gov.run AS r
    WHERE
        r.dag_id = d.dag_id AND NOT r.dry_run AND r.state = 'done'
        AND (r.run_type <> 'backfill' OR r.dag_id = any(cast(:backfilled AS text[])))
    ORDER BY r.as_of DESC
    LIMIT 1
) AS e ON true
