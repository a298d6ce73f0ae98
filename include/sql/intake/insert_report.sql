-- Purpose: record that somebody told us that a person is under 18.
-- Parameters: signal, reporter, table, key (text[]), says, at, ticket. Grain: report. Idempotency: appends.
INSERT INTO gov.minor_report (signal, reporter, subject_kind, subject_table, subject_key, says, reported_at, ticket)
VALUES (:signal, :reporter, 'person', :table, CAST(:key AS text[]), :says, :at, :ticket)
RETURNING report_id
