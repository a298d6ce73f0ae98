-- Purpose: cases that the ledger says were erased, with what it says of them.
-- Parameters: table (of people, for entries that name none). Grain: case. Idempotency: reads only.
SELECT DISTINCT ON (i.case_id)
    i.case_id,
    i.said ->> 'subject_ref' AS subject_ref,
    i.said ->> 'ref_key_id' AS ref_key_id,
    i.at AS discovered_at,
    e.at AS closed_at,
    coalesce(i.said ->> 'subject', 'person') AS subject_kind,
    coalesce(i.said ->> 'subject_table', :table) AS subject_table,
    coalesce(i.said ->> 'class', 'CONFIRMED_MINOR') AS class,
    coalesce(i.said ->> 'run_id', '') AS run_id
FROM (
    SELECT
        case_id,
        at,
        seq,
        cast(payload AS jsonb) AS said
    FROM gov.erasure_ledger
    WHERE kind = 'intent' AND case_id IS NOT NULL
) AS i
INNER JOIN gov.erasure_ledger AS e ON i.case_id = e.case_id AND e.kind = 'erased'
ORDER BY i.case_id ASC, i.seq DESC, e.seq DESC
