-- Purpose: people who spent more in a course in the whole period than is counted for one day. Nobody else can have
-- passed the cap of a day, so only their days are looked at.
-- Parameters: cap_seconds (of one person, course and day); reads person_module.
-- Grain: person, course.
-- Idempotency: reads only.
SELECT
    f.person,
    f.course
FROM person_module AS f
GROUP BY f.person, f.course
HAVING SUM(f.seconds) > :cap_seconds
