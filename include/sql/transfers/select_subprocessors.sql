-- Purpose: the newest list of sub-processors of each processor, as of a day.
-- Parameters: :today (date).
-- Grain: processor, sub-processor and country; a list that names nobody is one row with an empty sub-processor.
-- Idempotency: read only.
SELECT
    l.processor_id,
    l.listed_on,
    l.subprocessor,
    l.country
FROM gov.subprocessor_listing AS l
WHERE
    l.listed_on = (
        SELECT max(n.listed_on) FROM gov.subprocessor_listing AS n
        WHERE n.processor_id = l.processor_id AND n.listed_on <= :today
    )
ORDER BY l.processor_id, l.subprocessor, l.country
