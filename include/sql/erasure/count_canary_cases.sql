-- Purpose: how many of these cases are about made-up people.
-- Parameters: cases (text[]). Grain: one row. Idempotency: reads only.
SELECT count(*) FROM gov.minor_case AS c
INNER JOIN gov.canary AS k ON c.subject_ref = k.subject_ref
WHERE c.case_id = any(cast(:cases AS uuid[]))
