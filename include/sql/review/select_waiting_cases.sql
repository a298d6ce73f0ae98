-- Purpose: every case that waits for people, with how long it has waited for them.
-- Parameters: classes (text[] that people review). Grain: case. Idempotency: reads only.
SELECT
    case_id,
    class,
    escalation,
    review_due,
    COALESCE(objected_at, restricted_at, discovered_at) AS waits_since
FROM gov.minor_case
WHERE
    state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
    AND subject_key IS NOT NULL
    AND (class = ANY(CAST(:classes AS text[])) OR objected_at IS NOT NULL)
ORDER BY case_id
