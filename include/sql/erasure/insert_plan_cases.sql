-- Purpose: the cases of a plan: eligible, not held, and not standing on sources alone that were not trusted tonight.
-- Parameters: plan_id, run_id. Grain: plan and case. Idempotency: one plan is filled once.
INSERT INTO gov.erasure_plan_case (plan_id, case_id, subject_refs)
SELECT
    :plan_id,
    e.case_id,
    e.subject_refs
FROM eligible AS e
INNER JOIN held AS h ON e.case_id = h.case_id
WHERE
    NOT h.legal_hold AND NOT h.access_request
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_signal AS s
        INNER JOIN gov.source_observation AS o ON o.source = s.source_table || '.' || s.source_column
        WHERE s.case_id = e.case_id AND o.run_id = :run_id AND o.verdict = 'block'
        -- Another source that says the same by itself is enough.
        AND NOT EXISTS (
            SELECT 1 FROM gov.minor_signal AS sound
            WHERE
                sound.case_id = e.case_id AND sound.usable AND sound.strength = 'S'
                AND sound.source_table || '.' || sound.source_column NOT IN (
                    SELECT b.source FROM gov.source_observation AS b
                    WHERE b.run_id = :run_id AND b.verdict = 'block'
                )
        )
    )
