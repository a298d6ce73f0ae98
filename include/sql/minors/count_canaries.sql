-- Purpose: how many made-up people live (planted, not withdrawn, not erased before), and how many of them have no case.
-- Parameters: as_of. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS planted,
    count(*) FILTER (
        WHERE NOT EXISTS (SELECT 1 FROM gov.minor_case AS c WHERE c.subject_ref = k.subject_ref)
    ) AS missing
FROM gov.canary AS k
WHERE
    k.planted_at <= :as_of AND k.withdrawn_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_case AS c
        WHERE c.subject_ref = k.subject_ref AND c.closed_at <= :as_of
    )
