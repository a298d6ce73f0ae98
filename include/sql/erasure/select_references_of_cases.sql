-- Purpose: every keyed reference kept of erased cases, by the purpose of its key.
-- Parameters: cases (text[]; NULL: all). Grain: reference and case. Idempotency: reads only.
SELECT
    'sweep' AS purpose,
    key_id,
    hmac,
    case_id
FROM gov.sweep_identifier
WHERE cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[]))
UNION
SELECT
    'suppression',
    key_id,
    hmac,
    case_id
FROM gov.suppression_entry
WHERE
    block = 'IMPORT_RESTORE' AND reason = 'MINOR' AND id_type <> 'email_provider'
    AND (cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[])))
UNION
SELECT
    'ledger',
    cast(payload AS json) ->> 'ref_key_id',
    cast(payload AS json) ->> 'subject_ref',
    case_id
FROM gov.erasure_ledger
WHERE
    kind = 'erased' AND case_id IS NOT NULL AND cast(payload AS json) ->> 'subject_ref' IS NOT NULL
    AND (cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[])))
