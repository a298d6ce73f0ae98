-- Purpose: hours since the newest nightly detection that ran to its end and was not a rehearsal. What the detection
-- wrote of itself counts, not how the run was started: a run about a day long past only counts, and a task that
-- somebody marked as success has looked at nobody.
-- Parameters: as_of.
-- Grain: one row; NULL when there never was one.
-- Idempotency: reads only.
SELECT CAST(EXTRACT(EPOCH FROM (:as_of - MAX(r.as_of))) / 3600 AS double precision) AS hours
FROM gov.run AS r
WHERE
    r.dag_id = 'minor_data_deletion' AND r.state = 'done'
    AND r.facts -> 'detection' ->> 'rehearsal' = 'false'
    AND r.as_of <= :as_of
