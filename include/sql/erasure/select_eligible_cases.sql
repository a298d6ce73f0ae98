-- Purpose: cases that wait for erasure, with the keys that their references are made of.
-- Parameters: as_of, now, run_id. Grain: case. Idempotency: reads only.
-- A replay after a restore erases what came back and nothing else.
SELECT
    c.case_id,
    c.subject_kind,
    c.subject_table,
    c.subject_key
FROM gov.minor_case AS c
INNER JOIN gov.erasable_case AS e ON c.case_id = e.case_id
WHERE
    c.discovered_at <= :as_of
    AND (c.erase_after IS NULL OR c.erase_after <= :now)
    AND (c.returned_of IS NOT NULL OR NOT cast(:run_id AS text) LIKE 'restore\_replay/%')
ORDER BY c.case_id
