-- Purpose: how many notices are in which state. Parameters: none. Grain: state. Idempotency: reads only.
SELECT
    state,
    count(*) AS n
FROM gov.notice
GROUP BY state
ORDER BY state
