-- Purpose: keep one verdict of one gate. The table is append-only: a new judgement is a new row.
-- Parameters: run_id, gate, verdict, subject_sha256, checks (JSON text), judged_at, expires_at, report_html.
-- Grain: one row; returns its id.
-- Idempotency: none; the newest row counts.
INSERT INTO gov.gate_result
(run_id, gate, verdict, subject_sha256, checks, judged_at, expires_at, report_html)
VALUES
(
    :run_id, :gate, :verdict, :subject_sha256, CAST(:checks AS jsonb),
    :judged_at, :expires_at, :report_html
)
RETURNING gate_result_id
