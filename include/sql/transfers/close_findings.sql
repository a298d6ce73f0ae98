-- Purpose: closes what this run no longer found, where everybody who saw it has looked again.
-- Parameters: :run_id, :at, :process, :looked (names of observers that looked).
-- Grain: one finding.
-- Idempotency: a closed finding stays closed.
WITH gone AS (
    UPDATE gov.finding SET status = 'closed', closed_at = :at
    WHERE
        process = :process AND status = 'open' AND last_run_id <> :run_id
        AND observers <@ CAST(:looked AS text[])
    RETURNING fingerprint
)

INSERT INTO gov.finding_change (run_id, fingerprint, change, at)
SELECT
    :run_id,
    gone.fingerprint,
    'closed',
    :at
FROM gone
ON CONFLICT (run_id, fingerprint) DO NOTHING
