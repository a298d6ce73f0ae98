-- Purpose: the verdict of each regime on each flow.
-- Parameters: :snapshot_id, :rows (JSON array).
-- Grain: one flow and regime.
-- Idempotency: after delete_verdicts, the same rows.
INSERT INTO gov.flow_verdict (
    snapshot_id, flow_key, regime, verdict, code, instrument, expires_on, flags, by_state, reasons
)
SELECT
    :snapshot_id,
    r.flow_key,
    r.regime,
    r.verdict,
    r.code,
    r.instrument,
    r.expires_on,
    r.flags,
    r.by_state,
    r.reasons
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS r (
    flow_key text, regime text, verdict text, code text, instrument text, expires_on date, flags text[], by_state jsonb,
    reasons jsonb
)
