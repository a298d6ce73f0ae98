-- Purpose: when the rows of erased cases went.
-- Parameters: cases (text[]; NULL: all). Grain: case. Idempotency: reads only.
SELECT
    case_id,
    max(at) AS at
FROM gov.erasure_ledger
WHERE
    kind = 'erased' AND case_id IS NOT NULL
    AND (cast(:cases AS uuid[]) IS NULL OR case_id = any(cast(:cases AS uuid[])))
GROUP BY case_id
