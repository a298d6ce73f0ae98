-- Purpose: findings seen again: open, with the words and severity of today; the due day moves only with the severity.
-- Parameters: :run_id, :at, :rows (JSON array).
-- Grain: one finding.
-- Idempotency: the same rows write the same.
UPDATE gov.finding AS f SET
    severity = r.severity,
    title = r.title,
    what_to_do = r.what_to_do,
    owner = r.owner,
    observers = r.observers,
    due_on = CASE WHEN f.severity = r.severity AND f.status = 'open' THEN f.due_on ELSE r.due_on END,
    status = 'open',
    closed_at = NULL,
    last_seen = :at,
    last_run_id = :run_id
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (
            fingerprint text, severity text, title text, what_to_do text, owner text, observers text[], due_on date
        )
WHERE f.fingerprint = r.fingerprint
