-- Purpose: certificates about whoever used an identifier alone, by the suppression list.
-- Parameters: refs (text[] of references under every key held). Grain: certificate. Idempotency: reads only.
SELECT
    t.case_id,
    t.issued_at,
    c.state
FROM gov.certificate AS t
INNER JOIN gov.minor_case AS c ON t.case_id = c.case_id
WHERE t.case_id IN (SELECT s.case_id FROM gov.suppression_entry AS s WHERE s.hmac = any(cast(:refs AS text[])))
ORDER BY t.issued_at, t.case_id
