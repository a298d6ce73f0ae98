-- Purpose: a reopened case is closed again when every case about what came back of it is.
-- Parameters: none. Grain: case. Idempotency: sets what is true.
UPDATE gov.minor_case AS c SET state = 'CLOSED'
WHERE
    c.state = 'REOPENED'
    AND NOT EXISTS (
        SELECT 1 FROM gov.return_finding AS f
        INNER JOIN gov.minor_case AS n ON f.follow_up = n.case_id
        WHERE f.case_id = c.case_id AND n.state NOT IN ('CLOSED', 'CLEARED')
    )
