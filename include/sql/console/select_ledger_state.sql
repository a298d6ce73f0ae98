-- Purpose: how long the ledger is, and how far a signed copy of it lies outside the database.
-- Parameters: none. Grain: at most one row. Idempotency: reads only.
SELECT
    entries,
    newest_at,
    copied,
    copied_at,
    copy_agrees
FROM gov.ledger_state
