-- Purpose: the service levels that runs measured, newest first. Parameters: most. Grain: run.
-- Idempotency: reads only.
SELECT
    run_id,
    as_of,
    facts -> 'service_levels' AS levels
FROM gov.run
WHERE facts ? 'service_levels'
ORDER BY as_of DESC
LIMIT :most
