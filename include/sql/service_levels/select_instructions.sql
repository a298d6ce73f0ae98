-- Purpose: when processors and recipients were told, and when they answered (M5).
-- Parameters: since. Grain: instruction. Idempotency: reads only.
SELECT
    i.created_at,
    i.instructed_at,
    i.acked_at
FROM gov.downstream_instruction AS i
WHERE i.state <> 'withdrawn' AND (i.created_at >= :since OR i.acked_at IS NULL)
