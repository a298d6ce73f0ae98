-- Purpose: where the evidence of a case stands. Parameters: case_id, most. Grain: piece of evidence.
-- Idempotency: reads only.
SELECT
    source_table,
    source_column,
    row_key,
    signal,
    usable,
    flags,
    value_hash
FROM gov.minor_signal
WHERE case_id = :case_id
ORDER BY signal, source_table, source_column, row_key
LIMIT :most
