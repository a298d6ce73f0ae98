-- Purpose: confirmed cases that wait for erasure, with the keys that their references are made of.
-- Parameters: as_of. Grain: case. Idempotency: reads only.
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
    AND (state IN ('RESTRICTED', 'ON_HOLD') OR (subject_kind = 'row' AND state = 'OPEN'))
ORDER BY case_id
