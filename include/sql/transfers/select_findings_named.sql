-- Purpose: findings whose fingerprint begins with some letters.
-- Parameters: :process, :prefix.
-- Grain: one finding.
-- Idempotency: read only.
SELECT
    fingerprint,
    severity,
    status,
    title
FROM gov.finding
WHERE process = :process AND starts_with(fingerprint, :prefix)
ORDER BY fingerprint
LIMIT 2
