-- Purpose: where the flows of an inventory go, and how many are not covered under a regime.
-- Parameters: snapshot_id, bad (text array of verdicts). Grain: country. Idempotency: reads only.
SELECT
    coalesce(f.country, '?') AS country,
    count(DISTINCT f.flow_key) AS flows,
    count(DISTINCT f.flow_key) FILTER (WHERE v.verdict = any(cast(:bad AS text[]))) AS uncovered
FROM gov.inventory_flow AS f
INNER JOIN gov.flow_verdict AS v ON f.snapshot_id = v.snapshot_id AND f.flow_key = v.flow_key
WHERE f.snapshot_id = :snapshot_id
GROUP BY coalesce(f.country, '?')
ORDER BY uncovered DESC, flows DESC, country ASC
LIMIT 60
