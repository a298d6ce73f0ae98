-- Purpose: drop what was judged of linked accounts before their link was known; they are judged once more.
-- Parameters: subject_table. Grain: class; returns how many of each. Idempotency: a second run drops nothing.
WITH again AS (
    DELETE FROM judged AS j USING (SELECT DISTINCT subject_key FROM linked_subject) AS l
    WHERE j.subject_table = :subject_table AND j.subject_key = l.subject_key
    RETURNING j.subject_key, j.class
),

signals AS (
    DELETE FROM judged_signal AS s USING again AS a
    WHERE s.subject_table = :subject_table AND s.subject_key = a.subject_key
)

SELECT
    class,
    count(*) AS subjects
FROM again
GROUP BY class
