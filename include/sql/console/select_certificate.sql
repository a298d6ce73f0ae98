-- Purpose: where the files of one certificate and its supplements stand, and their hashes.
-- Parameters: case_id. Grain: file, the certificate first. Idempotency: reads only.
SELECT
    0 AS number,
    t.bucket,
    t.object_key,
    t.sha256,
    t.issued_at,
    c.class,
    c.state,
    c.discovered_at,
    c.closed_at
FROM gov.certificate AS t
INNER JOIN gov.minor_case AS c ON t.case_id = c.case_id
WHERE t.case_id = :case_id
UNION ALL
SELECT
    s.number,
    s.bucket,
    s.object_key,
    s.sha256,
    s.issued_at,
    '' AS class,
    '' AS state,
    CAST(NULL AS timestamptz) AS discovered_at,
    CAST(NULL AS timestamptz) AS closed_at
FROM gov.certificate_supplement AS s
WHERE s.case_id = :case_id
ORDER BY number
