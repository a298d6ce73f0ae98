-- Purpose: who took or withdrew a certificate or a release. Parameters: target, most. Grain: action, newest first.
-- Idempotency: reads only.
SELECT
    action,
    person_id,
    person_name,
    at
FROM gov.console_action
WHERE target = :target
ORDER BY action_id DESC
LIMIT :most
