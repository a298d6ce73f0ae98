-- Purpose: holds, inside one transaction, the rows of each source of free text whose text may state an age.
-- Parameters: none. Grain: source and row. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE speaking (
    source_no integer NOT NULL,
    row_key text[] NOT NULL
) ON COMMIT DROP
