-- Purpose: what is known over time of some findings; one that somebody waived says until when.
-- Parameters: :fingerprints.
-- Grain: one finding.
-- Idempotency: read only.
SELECT
    f.fingerprint,
    CASE WHEN w.until IS NULL THEN f.status ELSE 'waived until ' || w.until END AS status,
    f.first_seen,
    f.due_on
FROM gov.finding AS f
CROSS JOIN
    LATERAL (
        SELECT max(fw.expires_on) AS until
        FROM gov.finding_waiver AS fw
        WHERE
            fw.fingerprint = f.fingerprint AND f.status = 'open' AND f.severity <> 'CRITICAL'
            AND fw.expires_on >= cast(f.last_seen AS date)
    ) AS w
WHERE f.fingerprint = any(cast(:fingerprints AS text[]))
