-- Purpose: cases that people should decide on the same working day and that no review has looked at yet.
-- Parameters: classes (text[] that are due on the same day). Grain: one row. Idempotency: reads only.
SELECT count(*)
FROM gov.minor_case
WHERE
    state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW') AND subject_key IS NOT NULL
    AND (class = any(cast(:classes AS text[])) OR objected_at IS NOT NULL)
    AND asked_until IS NULL
    AND (review_due IS NULL OR review_due < cast(objected_at AS date))
