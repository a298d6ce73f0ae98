-- Purpose: propose to take characters out of one text.
-- Parameters: redaction_id, case_id, table_name, column_name, row_key, firsts, lasts, text_sha256, by, at.
-- Grain: proposal. Idempotency: each id once.
INSERT INTO gov.redaction (
    redaction_id, case_id, table_name, column_name, row_key, firsts, lasts, text_sha256, proposed_by, proposed_at
)
VALUES (
    :redaction_id, :case_id, :table_name, :column_name, :row_key, :firsts, :lasts, :text_sha256, :by, :at
)
