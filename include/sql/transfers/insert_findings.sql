-- Purpose: findings never seen before.
-- Parameters: :run_id, :at, :process, :rows (JSON array).
-- Grain: one finding.
-- Idempotency: a known fingerprint is left as it is.
INSERT INTO gov.finding (
    fingerprint, process, rule, severity, asset, title, what_to_do, owner, observers, status, first_seen, last_seen,
    due_on, last_run_id
)
SELECT
    r.fingerprint,
    :process,
    r.rule,
    r.severity,
    r.asset,
    r.title,
    r.what_to_do,
    r.owner,
    r.observers,
    'open',
    :at,
    :at,
    r.due_on,
    :run_id
FROM
    jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (
            fingerprint text, rule text, severity text, asset text, title text, what_to_do text, owner text,
            observers text[], due_on date
        )
ON CONFLICT (fingerprint) DO NOTHING
