-- Purpose: the findings that stand, gravest first, with what each run and each waiver made of them.
-- Parameters: :process, :today, :closed (also those that are gone).
-- Grain: one finding.
-- Idempotency: read only.
SELECT
    f.fingerprint,
    f.severity,
    f.rule,
    f.asset,
    f.title,
    f.what_to_do,
    f.owner,
    f.first_seen,
    f.last_seen,
    f.due_on,
    w.waived_until,
    w.approver,
    w.reason,
    CASE
        WHEN f.status = 'closed' THEN 'closed'
        WHEN w.waived_until IS NOT NULL THEN 'waived'
        ELSE coalesce(c.change, 'open')
    END AS state,
    coalesce(f.status = 'open' AND w.waived_until IS NULL AND f.due_on < cast(:today AS date), FALSE) AS overdue
FROM gov.finding AS f
LEFT JOIN gov.finding_change AS c ON f.fingerprint = c.fingerprint AND f.last_run_id = c.run_id
LEFT JOIN LATERAL (
    SELECT
        fw.expires_on AS waived_until,
        fw.approver,
        fw.reason
    FROM gov.finding_waiver AS fw
    WHERE
        fw.fingerprint = f.fingerprint AND f.severity <> 'CRITICAL'
        AND fw.waived_on <= cast(:today AS date) AND fw.expires_on >= cast(:today AS date)
    ORDER BY fw.expires_on DESC, fw.finding_waiver_id DESC
    LIMIT 1
) AS w ON TRUE
WHERE f.process = :process AND (f.status = 'open' OR cast(:closed AS boolean))
ORDER BY
    f.status DESC,
    array_position(ARRAY['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO'], f.severity) ASC,
    f.due_on ASC,
    f.fingerprint ASC
