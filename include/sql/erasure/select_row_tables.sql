-- Purpose: tables whose own rows were the subjects of erased cases.
-- Parameters: cases (text[]; NULL: all). Grain: table. Idempotency: reads only.
SELECT DISTINCT subject_table FROM gov.minor_case
WHERE
    subject_kind = 'row'
    AND (cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[])))
UNION
SELECT DISTINCT substr(kind, 5) FROM gov.sweep_identifier
WHERE
    kind LIKE 'row\:%'
    AND (cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[])))
