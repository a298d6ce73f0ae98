-- Purpose: under which keys references still live: a key may only be dropped when it is not among these.
-- Parameters: none. Grain: purpose and key. Idempotency: reads only.
SELECT
    'suppression' AS purpose,
    key_id,
    count(*) AS references_held,
    max(valid_until) AS until
FROM gov.suppression_entry
GROUP BY key_id
UNION ALL
SELECT
    'sweep',
    key_id,
    count(*),
    max(until)
FROM gov.sweep_identifier
GROUP BY key_id
UNION ALL
SELECT
    'ledger',
    key_id,
    sum(n),
    NULL
FROM (
    SELECT
        ref_key_id AS key_id,
        count(*) AS n
    FROM gov.minor_case
    GROUP BY ref_key_id
    UNION ALL
    SELECT
        ref_key_id,
        count(*)
    FROM gov.legal_hold
    WHERE released_at IS NULL
    GROUP BY ref_key_id
    UNION ALL
    SELECT
        ref_key_id,
        count(*)
    FROM gov.dsr_request
    WHERE closed_at IS NULL
    GROUP BY ref_key_id
) AS held
GROUP BY key_id
ORDER BY 1, 2
