-- Purpose: closed cases that have to be looked for again: so many days have passed and nobody has.
-- Parameters: days (int[]), at. Grain: case and day. Idempotency: reads only.
-- Cases about returned data are swept like all others.
SELECT
    c.case_id,
    d.after_days,
    c.closed_at + make_interval(days => d.after_days) AS due_at
FROM gov.minor_case AS c
CROSS JOIN unnest(cast(:days AS integer[])) AS d (after_days)
WHERE
    c.state IN ('CLOSED', 'REOPENED')
    AND c.closed_at + make_interval(days => d.after_days) <= :at
    AND NOT EXISTS (
        SELECT 1 FROM gov.sweep AS s
        WHERE s.case_id = c.case_id AND s.after_days = d.after_days
    )
ORDER BY due_at, c.case_id
