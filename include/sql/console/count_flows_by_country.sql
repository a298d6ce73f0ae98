-- Purpose: where the flows of an inventory go, and how many are not covered under a regime.
-- Parameters: snapshot_id, bad (text array of verdicts). Grain: country. Idempotency: reads only.
WITH counted AS (
    SELECT
        country,
        count(*) AS flows
    FROM gov.inventory_flow
    WHERE snapshot_id = :snapshot_id
    GROUP BY country
),

bad AS (
    SELECT DISTINCT flow_key FROM gov.flow_verdict
    WHERE snapshot_id = :snapshot_id AND verdict = any(cast(:bad AS text[]))
),

uncovered AS (
    SELECT
        f.country,
        count(*) AS flows
    FROM bad AS b
    INNER JOIN gov.inventory_flow AS f ON b.flow_key = f.flow_key AND f.snapshot_id = :snapshot_id
    GROUP BY f.country
)

SELECT
    coalesce(c.country, '?') AS country,
    c.flows,
    coalesce(u.flows, 0) AS uncovered
FROM counted AS c
LEFT JOIN uncovered AS u ON c.country IS NOT DISTINCT FROM u.country
ORDER BY uncovered DESC, c.flows DESC, c.country ASC
LIMIT 60
