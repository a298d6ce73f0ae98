-- Purpose: how many cases are in which state, and for how long those that are not over have been known.
-- Parameters: now. Grain: state and class. Idempotency: reads only.
SELECT
    state,
    class,
    count(*) AS cases,
    count(*) FILTER (WHERE discovered_at > :now - interval '1 day') AS day,
    count(*) FILTER (
        WHERE discovered_at <= :now - interval '1 day' AND discovered_at > :now - interval '7 days'
    ) AS week,
    count(*) FILTER (
        WHERE discovered_at <= :now - interval '7 days' AND discovered_at > :now - interval '35 days'
    ) AS month,
    count(*) FILTER (WHERE discovered_at <= :now - interval '35 days') AS longer,
    min(discovered_at) AS oldest
FROM gov.minor_case
GROUP BY state, class
ORDER BY state, class
