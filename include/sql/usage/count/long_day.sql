-- Purpose: what those people spent in each module on each London day.
-- Parameters: none; reads period_event and long_stay.
-- Grain: person, module, day.
-- Idempotency: reads only.
SELECT
    e.person,
    e.course,
    e.module,
    e.london_day,
    CAST(SUM(e.seconds) AS bigint) AS seconds
FROM period_event AS e
INNER JOIN long_stay AS s ON e.person = s.person AND e.course = s.course
GROUP BY e.person, e.course, e.module, e.london_day
