-- Purpose: the day by which the last backup that may hold an erased person is gone.
-- Parameters: days. Grain: case. Idempotency: noted once.
INSERT INTO gov.backup_age_out (case_id, erased_at, ages_out_on)
SELECT
    p.case_id,
    max(e.database_erased_at),
    cast(max(e.database_erased_at) AS date) + :days
FROM gov.erasure_plan AS e
INNER JOIN gov.erasure_plan_case AS p ON e.plan_id = p.plan_id
WHERE e.database_erased_at IS NOT NULL
GROUP BY p.case_id
ON CONFLICT (case_id) DO NOTHING
