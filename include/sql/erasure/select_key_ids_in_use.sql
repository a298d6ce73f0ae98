-- Purpose: under which keys references still live: a key may only be dropped when it is not among these.
-- Parameters: today, ledger_days (for how long the references of a closed case are kept). Grain: purpose and key.
-- Idempotency: reads only.
SELECT
    'suppression' AS purpose,
    key_id,
    count(*) AS held
FROM gov.suppression_entry
WHERE valid_until >= :today
GROUP BY key_id
UNION ALL
SELECT
    'sweep',
    key_id,
    count(*)
FROM gov.sweep_identifier
GROUP BY key_id
UNION ALL
SELECT
    'ledger',
    ref_key_id,
    count(*)
FROM (
    SELECT ref_key_id FROM gov.minor_case
    WHERE closed_at IS NULL OR cast(closed_at AS date) + :ledger_days >= :today
    UNION ALL
    SELECT ref_key_id FROM gov.legal_hold
    WHERE released_at IS NULL
    UNION ALL
    SELECT ref_key_id FROM gov.dsr_request
    WHERE closed_at IS NULL
) AS kept
GROUP BY ref_key_id
UNION ALL
SELECT
    'work_items',
    key_id,
    count(*)
FROM gov.work_item
WHERE sealed IS NOT NULL
GROUP BY key_id
UNION ALL
SELECT
    'contact',
    contact_key_id,
    count(*)
FROM gov.recipient
WHERE contact_key_id IS NOT NULL
GROUP BY contact_key_id
ORDER BY purpose, key_id
