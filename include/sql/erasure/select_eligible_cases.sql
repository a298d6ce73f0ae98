-- Purpose: confirmed cases that wait for erasure, with the keys that their references are made of.
-- Parameters: as_of, run_id. Grain: case. Idempotency: reads only.
-- A replay after a restore erases what came back and nothing else.
SELECT
    case_id,
    subject_kind,
    subject_table,
    subject_key
FROM gov.minor_case
WHERE
    class = 'CONFIRMED_MINOR'
    AND subject_key IS NOT NULL
    AND discovered_at <= :as_of
    AND (returned_of IS NOT NULL OR NOT cast(:run_id AS text) LIKE 'restore\_replay/%')
    AND (state IN ('RESTRICTED', 'ON_HOLD') OR (subject_kind = 'row' AND state = 'OPEN'))
ORDER BY case_id
