-- Purpose: hold a notice while it is sent: nobody else sends it, and a killed sender lets it go.
-- Parameters: notice_id. Grain: one row or none. Idempotency: reads only.
SELECT
    n.notice_id,
    n.case_id,
    c.subject_key,
    c.discovered_at,
    (
        c.class = 'CONFIRMED_MINOR' AND c.subject_kind = 'person' AND c.objected_at IS NULL
        AND c.state IN ('RESTRICTED', 'ON_HOLD') AND c.subject_key IS NOT NULL
    ) AS still_due
FROM gov.notice AS n
INNER JOIN gov.minor_case AS c ON n.case_id = c.case_id
WHERE n.notice_id = :notice_id AND n.state = 'queued'
FOR UPDATE OF n SKIP LOCKED
