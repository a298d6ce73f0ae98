-- Purpose: certificates, newest first, by key. Parameters: issued_at and case_id (NULL: from the newest), most.
-- Grain: certificate. Idempotency: reads only.
SELECT
    t.case_id,
    t.issued_at,
    t.sha256,
    c.class,
    c.state,
    (SELECT count(*) FROM gov.certificate_supplement AS s WHERE s.case_id = t.case_id) AS supplements
FROM gov.certificate AS t
INNER JOIN gov.minor_case AS c ON t.case_id = c.case_id
WHERE
    (t.issued_at, t.case_id) < (
        coalesce(cast(:issued_at AS timestamptz), 'infinity'),
        coalesce(cast(:case_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    )
ORDER BY t.issued_at DESC, t.case_id DESC
LIMIT :most
