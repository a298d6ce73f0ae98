-- Purpose: one notice for each person who was restricted on its own statement and has not been told; erasing waits
-- for the answer until erase_after.
-- Parameters: at, answer_hours. Grain: case. Idempotency: one notice a case and kind.
WITH queued AS (
    INSERT INTO gov.notice (case_id, kind, queued_at)
    SELECT
        case_id,
        'RESTRICTED',
        :at
    FROM gov.minor_case
    WHERE
        class = 'CONFIRMED_MINOR' AND state = 'RESTRICTED' AND decision IS NULL
        AND subject_kind = 'person' AND restriction = 'HARD' AND restricted_at IS NOT NULL AND objected_at IS NULL
        AND subject_key IS NOT NULL AND returned_of IS NULL
        AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = gov.minor_case.subject_ref)
    ON CONFLICT (case_id, kind) DO NOTHING
    RETURNING case_id
)

UPDATE gov.minor_case AS c SET erase_after = c.discovered_at + make_interval(secs => 3600 * :answer_hours)
FROM queued AS q
WHERE c.case_id = q.case_id AND c.erase_after IS NULL
