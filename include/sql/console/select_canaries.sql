-- Purpose: what became of the made-up people that must be found, newest first. Parameters: most. Grain: canary.
-- Idempotency: reads only.
SELECT
    planted_at,
    expect,
    class,
    state,
    discovered_at,
    closed_at
FROM gov.canary_state
ORDER BY planted_at DESC
LIMIT :most
