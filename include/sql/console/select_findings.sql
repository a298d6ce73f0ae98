-- Purpose: findings, those that are due first first, by key.
-- Parameters: status, severity (NULL: all), due_on and fingerprint (NULL: from the first), most. Grain: finding.
-- Idempotency: reads only.
SELECT
    fingerprint,
    process,
    rule,
    severity,
    asset,
    title,
    what_to_do,
    owner,
    status,
    first_seen,
    last_seen,
    due_on
FROM gov.finding
WHERE
    status = :status
    AND (coalesce(due_on, 'infinity'), fingerprint)
    > (coalesce(cast(:due_on AS date), '-infinity'), coalesce(cast(:fingerprint AS text), ''))
    AND (cast(:severity AS text) IS NULL OR severity = :severity)
ORDER BY coalesce(due_on, 'infinity'), fingerprint
LIMIT :most
