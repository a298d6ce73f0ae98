-- Purpose: what the answers make of a proposal: one no ends it, enough different people confirm it. People of different
-- ways of saying who they are do not add up: they may be one.
-- Parameters: redaction_id, people. Grain: proposal. Idempotency: sets what the answers say.
UPDATE gov.redaction AS r SET
    state = CASE
        WHEN a.rejected > 0 THEN 'rejected'
        WHEN a.confirmed >= :people THEN 'confirmed'
        ELSE r.state
    END,
    row_key = CASE WHEN a.rejected > 0 THEN NULL ELSE r.row_key END
FROM (
    SELECT
        max(w.confirmed) AS confirmed,
        sum(w.rejected) AS rejected
    FROM (
        SELECT
            count(*) FILTER (WHERE answer = 'confirmed' AND way <> 'given') AS confirmed,
            count(*) FILTER (WHERE answer = 'rejected') AS rejected
        FROM gov.redaction_answer
        WHERE redaction_id = :redaction_id
        GROUP BY way
    ) AS w
) AS a
WHERE r.redaction_id = :redaction_id
RETURNING r.state
