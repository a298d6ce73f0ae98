-- Purpose: list whom one may ask: unusable dates, and one weak signal alone. Nobody here is restricted.
-- Parameters: listed (text[] of classes), at. Grain: subject. Idempotency: the same list however often it runs.
INSERT INTO gov.age_question (
    subject_kind, subject_table, subject_key, class, flags, signals, first_seen, last_seen
)
SELECT
    j.subject_kind,
    j.subject_table,
    j.subject_key,
    j.class,
    j.flags,
    j.signals,
    :at,
    :at
FROM judged AS j
WHERE
    j.class = ANY(CAST(:listed AS text[]))
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_case AS c
        WHERE
            c.subject_table = j.subject_table AND c.subject_key = j.subject_key
            AND c.state NOT IN ('CLOSED', 'CLEARED')
    )
ON CONFLICT (subject_table, subject_key) DO UPDATE SET
    class = excluded.class,
    flags = excluded.flags,
    signals = excluded.signals,
    last_seen = excluded.last_seen
