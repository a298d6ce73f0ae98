-- Purpose: what is known over time of the findings of a run.
-- Parameters: :fingerprints.
-- Grain: one finding.
-- Idempotency: read only.
SELECT
    fingerprint,
    status,
    first_seen,
    due_on
FROM gov.finding
WHERE fingerprint = any(cast(:fingerprints AS text[]))
