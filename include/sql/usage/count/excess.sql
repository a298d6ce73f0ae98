-- Purpose: seconds that are not counted. On a day above the cap each module keeps its share of the capped day in whole
-- seconds, so that the modules of a course still add up to it.
-- Parameters: cap_seconds; reads long_day and over_day.
-- Grain: person, module.
-- Idempotency: reads only. The division leaves no remainder, so engines agree on it whatever their slash does.
SELECT
    d.person,
    d.course,
    d.module,
    CAST(SUM(
        d.seconds - (d.seconds * :cap_seconds - MOD(d.seconds * :cap_seconds, o.seconds)) / o.seconds
    ) AS bigint) AS seconds
FROM long_day AS d
INNER JOIN over_day AS o ON d.person = o.person AND d.course = o.course AND d.london_day = o.london_day
GROUP BY d.person, d.course, d.module
