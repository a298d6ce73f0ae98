-- Purpose: how often something of an erased person stood somewhere again (M7); a new record of the same person, and a
-- mention in somebody else's row, are none.
-- Parameters: since. Grain: one row. Idempotency: reads only.
SELECT
    (SELECT count(*) FROM gov.sweep AS s WHERE s.swept_at >= :since) AS sweeps,
    (
        SELECT count(DISTINCT f.case_id) FROM gov.return_finding AS f
        WHERE f.found_at >= :since AND f.verdict = 'returned'
    ) AS returned
