-- Purpose: notes which findings of this run are new, back, or more or less grave than before.
-- Parameters: :run_id, :at, :rows (JSON array of fingerprint, severity …).
-- Grain: one finding that changed.
-- Idempotency: a second call of the run writes nothing more; call it before upsert_findings writes severities.
INSERT INTO gov.finding_change (run_id, fingerprint, change, at)
SELECT
    :run_id,
    f.fingerprint,
    CASE WHEN f.first_seen = :at THEN 'new' WHEN f.status = 'closed' THEN 'reopened' ELSE 'changed' END,
    :at
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (fingerprint text, severity text)
INNER JOIN gov.finding AS f ON r.fingerprint = f.fingerprint
WHERE f.first_seen = :at OR f.status = 'closed' OR f.severity <> r.severity
ON CONFLICT (run_id, fingerprint) DO NOTHING
