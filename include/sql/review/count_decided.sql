-- Purpose: how the cases ended about which people answered in a run.
-- Parameters: run_id. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS answers,
    count(DISTINCT d.case_id) FILTER (WHERE c.decision = 'CONFIRMED') AS confirmed,
    count(DISTINCT d.case_id) FILTER (WHERE c.decision = 'CLEARED') AS cleared
FROM gov.case_decision AS d
INNER JOIN gov.minor_case AS c ON d.case_id = c.case_id
WHERE d.run_id = :run_id
