-- Purpose: where the instructions to processors and recipients stand. Parameters: none. Grain: party and state.
-- Idempotency: reads only.
SELECT
    party,
    state,
    count(*) AS instructions,
    min(created_at) AS oldest
FROM gov.downstream_instruction
GROUP BY party, state
ORDER BY party, state
