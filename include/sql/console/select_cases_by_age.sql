-- Purpose: how many cases are in which state, and for how long those that are not over have been known.
-- Parameters: day, week, month (the moments that long ago). Grain: state and class. Idempotency: reads only.
-- The kinds are found by jumping through an index, and each is counted in it: no grouping of all cases.
WITH RECURSIVE kind AS (
    (
        SELECT
            c.state,
            c.class
        FROM gov.minor_case AS c
        ORDER BY c.state, c.class
        LIMIT 1
    )
    UNION ALL
    SELECT
        n.state,
        n.class
    FROM kind AS k
    CROSS JOIN LATERAL (
        SELECT
            c.state,
            c.class
        FROM gov.minor_case AS c
        WHERE (c.state, c.class) > (k.state, k.class)
        ORDER BY c.state, c.class
        LIMIT 1
    ) AS n
)

SELECT
    k.state,
    k.class,
    a.cases,
    a.day,
    a.week,
    a.month,
    a.longer,
    a.oldest
FROM kind AS k
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS cases,
            count(*) FILTER (WHERE m.discovered_at > :day) AS day,
            count(*) FILTER (WHERE m.discovered_at <= :day AND m.discovered_at > :week) AS week,
            count(*) FILTER (WHERE m.discovered_at <= :week AND m.discovered_at > :month) AS month,
            count(*) FILTER (WHERE m.discovered_at <= :month) AS longer,
            min(m.discovered_at) AS oldest
        FROM gov.minor_case AS m
        WHERE m.state = k.state AND m.class = k.class
    ) AS a
ORDER BY k.state, k.class
