-- Purpose: holds, inside one transaction, other accounts of confirmed minors and the rows that link them.
-- Parameters: none. Grain: subject and linking row. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE linked_subject (
    subject_key text[] NOT NULL,
    row_key text[] NOT NULL
) ON COMMIT DROP
