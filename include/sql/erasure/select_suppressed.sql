-- Purpose: entries of the suppression list that keep records out, by reference.
-- Parameters: hmacs (text[]). Grain: entry. Idempotency: reads only.
SELECT
    hmac,
    created_at,
    valid_until
FROM gov.suppression_entry
WHERE hmac = any(cast(:hmacs AS text[])) AND block = 'IMPORT_RESTORE'
