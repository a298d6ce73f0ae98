-- Purpose: one judgement per subject in question.
-- Parameters: none. Grain: subject. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE judged (
    subject_kind text NOT NULL,
    subject_table text NOT NULL,
    subject_key text[] NOT NULL,
    class text NOT NULL,
    flags text[] NOT NULL,
    refs text[] NOT NULL, -- under every key still held; the current one first
    ref_key_id text NOT NULL,
    evidence_hashes text[] NOT NULL, -- likewise
    feed text NOT NULL,
    signals text[] NOT NULL DEFAULT '{}',
    restriction text NOT NULL DEFAULT 'NONE',
    source_faults text[] NOT NULL DEFAULT '{}',
    evidence_at timestamptz,
    adult_on date,
    PRIMARY KEY (subject_table, subject_key)
) ON COMMIT DROP
