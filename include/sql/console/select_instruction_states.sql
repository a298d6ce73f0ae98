-- Purpose: where the instructions to processors and recipients stand. Parameters: none. Grain: party and state.
-- Idempotency: reads only. The kinds are found by jumping through an index, and each is counted in it.
WITH RECURSIVE kind AS (
    (
        SELECT
            i.party,
            i.state
        FROM gov.downstream_instruction AS i
        ORDER BY i.party, i.state
        LIMIT 1
    )
    UNION ALL
    SELECT
        n.party,
        n.state
    FROM kind AS k
    CROSS JOIN LATERAL (
        SELECT
            i.party,
            i.state
        FROM gov.downstream_instruction AS i
        WHERE (i.party, i.state) > (k.party, k.state)
        ORDER BY i.party, i.state
        LIMIT 1
    ) AS n
)

SELECT
    k.party,
    k.state,
    a.instructions,
    a.oldest
FROM kind AS k
CROSS JOIN
    LATERAL (
        SELECT
            count(*) AS instructions,
            min(m.created_at) AS oldest
        FROM gov.downstream_instruction AS m
        WHERE m.party = k.party AND m.state = k.state
    ) AS a
ORDER BY k.party, k.state
