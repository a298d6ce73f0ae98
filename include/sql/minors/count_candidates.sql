-- Purpose: how many subjects each source brings into question.
-- Parameters: none. Grain: source. Idempotency: reads only.
SELECT
    source_no,
    count(*) AS subjects
FROM candidate
GROUP BY source_no
