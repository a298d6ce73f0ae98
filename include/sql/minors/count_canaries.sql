-- Purpose: how many made-up people were planted, and how many of them have no case (before an erasure or after).
-- Parameters: as_of. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS planted,
    count(*) FILTER (
        WHERE NOT EXISTS (SELECT 1 FROM gov.minor_case AS c WHERE c.subject_ref = k.subject_ref)
    ) AS missing
FROM gov.canary AS k
WHERE k.planted_at <= :as_of
