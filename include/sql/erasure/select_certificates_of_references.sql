-- Purpose: certificates of a subject by keyed references under every key.
-- Parameters: refs (text array). Grain: certificate. Idempotency: reads only.
SELECT
    c.case_id,
    c.issued_at,
    c.bucket,
    c.object_key,
    m.state
FROM gov.certificate AS c
INNER JOIN gov.minor_case AS m ON c.case_id = m.case_id
WHERE m.subject_ref = any(cast(:refs AS text[]))
ORDER BY c.issued_at, c.case_id
