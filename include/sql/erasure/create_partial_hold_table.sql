-- Purpose: the holds over parts of a case whose scope the data map knows; filled by COPY.
-- Parameters: none. Grain: hold. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE partial_hold (hold_id bigint PRIMARY KEY) ON COMMIT DROP
