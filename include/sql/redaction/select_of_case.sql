-- Purpose: what was taken out of other people's texts about one case.
-- Parameters: case_id. Grain: table and column. Idempotency: reads only.
SELECT
    case_id,
    table_name || '.' || column_name AS asset,
    count(*) AS texts,
    sum(cardinality(firsts)) AS places,
    max(redacted_at) AS redacted_at,
    max(ended_at) AS verified_at
FROM gov.redaction
WHERE case_id = :case_id AND state = 'verified'
GROUP BY case_id, table_name, column_name
ORDER BY asset
