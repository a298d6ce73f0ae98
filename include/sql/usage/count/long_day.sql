-- Purpose: days of people who spent more in a course in the whole period than is counted for one day. Nobody else can
-- have passed the cap of a day, so only their days are looked at.
-- Parameters: cap_seconds (of one person, course and day); reads period_event and person_course.
-- Grain: person, module, day.
-- Idempotency: reads only.
SELECT
    e.person,
    e.course,
    e.module,
    e.london_day,
    CAST(SUM(e.seconds) AS bigint) AS seconds
FROM period_event AS e
INNER JOIN person_course AS s ON e.person = s.person AND e.course = s.course
WHERE s.seconds > :cap_seconds
GROUP BY e.person, e.course, e.module, e.london_day
