-- Purpose: how often something of an erased person stood somewhere again, by what it was and whether it is settled.
-- Parameters: none. Grain: verdict. Idempotency: reads only.
SELECT
    verdict,
    count(*) AS found,
    count(*) FILTER (WHERE settled_at IS NULL) AS unsettled,
    max(found_at) AS newest
FROM gov.return_finding
GROUP BY verdict
ORDER BY verdict
