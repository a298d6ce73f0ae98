-- Purpose: the statements that the judgements stand on.
-- Parameters: none. Grain: subject, source and source row. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE judged_signal (
    subject_table text NOT NULL,
    subject_key text[] NOT NULL,
    source_table text NOT NULL,
    source_column text NOT NULL,
    row_key text[] NOT NULL,
    signal text NOT NULL,
    strength text NOT NULL,
    usable boolean NOT NULL,
    flags text[] NOT NULL,
    value text NOT NULL,
    rule text,
    span_start integer,
    span_end integer
) ON COMMIT DROP
