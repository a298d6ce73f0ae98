-- Purpose: a case about what came back of an erased one; an open case about the same thing is kept.
-- Parameters: kind, table, key (text[]), ref, ref_key_id, class, at, run_id, returned_of.
-- Grain: thing that came back. Idempotency: one open case each.
-- The end of the first case's suppression stands for the birthday, which nobody knows any more.
WITH made AS (
    INSERT INTO gov.minor_case (
        subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class, state, flags, discovered_at,
        evidence_at, adult_on, opened_by_run, judged_by_run, returned_of
    )
    SELECT
        :kind,
        :table,
        :key,
        :ref,
        :ref_key_id,
        :class,
        'OPEN',
        '{RETURNED}',
        :at,
        :at,
        (
            SELECT max(s.valid_until) FROM gov.suppression_entry AS s
            WHERE s.case_id = cast(:returned_of AS uuid)
        ),
        :run_id,
        :run_id,
        cast(:returned_of AS uuid)
    WHERE
        NOT EXISTS (
            SELECT 1 FROM gov.minor_case AS c
            WHERE
                c.subject_table = :table AND c.subject_key = cast(:key AS text[])
                AND c.state NOT IN ('CLOSED', 'CLEARED')
        )
    RETURNING case_id
)

SELECT
    case_id,
    true AS opened
FROM made
UNION ALL
SELECT
    c.case_id,
    false
FROM gov.minor_case AS c
WHERE
    c.subject_table = :table AND c.subject_key = cast(:key AS text[])
    AND c.state NOT IN ('CLOSED', 'CLEARED')
LIMIT 1
