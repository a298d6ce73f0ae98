-- Purpose: proposals that wait for people or for the night.
-- Parameters: none. Grain: proposal. Idempotency: reads only.
SELECT
    r.redaction_id,
    r.case_id,
    r.table_name,
    r.column_name,
    cardinality(r.firsts) AS places,
    r.state,
    r.proposed_by,
    r.proposed_at,
    coalesce((
        SELECT max(w.confirmed) FROM (
            SELECT count(*) AS confirmed FROM gov.redaction_answer AS a
            WHERE a.redaction_id = r.redaction_id AND a.answer = 'confirmed' AND a.way <> 'given'
            GROUP BY a.way
        ) AS w
    ), 0) AS confirmations
FROM gov.redaction AS r
WHERE r.ended_at IS NULL AND r.state <> 'rejected'
ORDER BY r.proposed_at, r.redaction_id
