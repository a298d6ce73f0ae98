-- Purpose: take off the list whoever is not of its classes any more; in a whole pass also whoever is gone.
-- Parameters: listed (text[] of classes), whole (boolean). Grain: subject. Idempotency: a second run deletes nothing.
DELETE FROM gov.age_question AS q
WHERE
    EXISTS (
        SELECT 1 FROM judged AS j
        WHERE
            j.subject_table = q.subject_table AND j.subject_key = q.subject_key
            AND j.class <> ALL(CAST(:listed AS text[]))
    )
    OR CAST(:whole AS boolean) AND NOT EXISTS (
        SELECT 1 FROM judged AS j
        WHERE j.subject_table = q.subject_table AND j.subject_key = q.subject_key
    )
