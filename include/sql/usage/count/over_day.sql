-- Purpose: days on which a person spent more in a course than is counted.
-- Parameters: cap_seconds; reads long_day.
-- Grain: person, course, day.
-- Idempotency: reads only.
SELECT
    d.person,
    d.course,
    d.london_day,
    CAST(SUM(d.seconds) AS bigint) AS seconds
FROM long_day AS d
GROUP BY d.person, d.course, d.london_day
HAVING SUM(d.seconds) > :cap_seconds
