-- Purpose: how many eligible cases are held, by ground, and how many stand on a source that was not trusted tonight.
-- Parameters: run_id. Grain: one row. Idempotency: reads only.
SELECT
    count(*) AS eligible,
    count(*) FILTER (WHERE h.legal_hold OR h.access_request) AS held,
    count(*) FILTER (WHERE h.legal_hold) AS legal_holds,
    count(*) FILTER (WHERE h.access_request) AS access_requests,
    count(*) FILTER (
        WHERE
        NOT h.legal_hold AND NOT h.access_request AND EXISTS (
            SELECT 1 FROM gov.minor_signal AS s
            INNER JOIN gov.source_observation AS o
                ON o.source = s.source_table || '.' || s.source_column
            WHERE s.case_id = h.case_id AND o.run_id = :run_id AND o.verdict = 'block'
        )
    ) AS source_suspect
FROM held AS h
