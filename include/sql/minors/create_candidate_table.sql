-- Purpose: holds, inside one transaction, who has a value that is not clearly adult, per source.
-- Parameters: none. Grain: source and subject, not unique. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE candidate (
    source_no integer NOT NULL,
    subject_kind text NOT NULL,
    subject_table text NOT NULL,
    subject_key text[] NOT NULL
) ON COMMIT DROP
