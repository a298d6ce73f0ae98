-- Purpose: notes which findings are open again because their last waiver has ended.
-- Parameters: :run_id, :at, :today, :process.
-- Grain: one finding.
-- Idempotency: noted once after each waiver.
WITH waived AS (
    SELECT
        fingerprint,
        max(expires_on) AS expires_on,
        max(waived_at) AS waived_at
    FROM gov.finding_waiver
    GROUP BY fingerprint
)

INSERT INTO gov.finding_change (run_id, fingerprint, change, at)
SELECT
    :run_id,
    f.fingerprint,
    'waiver_ended',
    :at
FROM gov.finding AS f
INNER JOIN waived AS w ON f.fingerprint = w.fingerprint
WHERE
    f.process = :process AND f.status = 'open' AND w.expires_on < cast(:today AS date)
    AND NOT EXISTS (
        SELECT 1 FROM gov.finding_change AS c
        WHERE c.fingerprint = f.fingerprint AND c.change = 'waiver_ended' AND c.at > w.waived_at
    )
ON CONFLICT (run_id, fingerprint) DO NOTHING
