-- Purpose: an erased case of which something came back is reopened, though it stays sealed.
-- Parameters: run_id. Grain: case. Idempotency: sets what is true.
UPDATE gov.minor_case AS c SET state = 'REOPENED'
FROM gov.return_finding AS f
WHERE f.run_id = :run_id AND f.verdict = 'returned' AND f.case_id = c.case_id AND c.state = 'CLOSED'
