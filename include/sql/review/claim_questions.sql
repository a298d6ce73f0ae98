-- Purpose: choose the cases about which this run asks; another run leaves them alone until the question times out.
-- Parameters: classes (text[] that people review), now, until, most. Grain: case.
-- Idempotency: a case that is being asked about is not chosen again; a retry of the same run chooses its own again.
UPDATE gov.minor_case AS c SET asked_until = :until
FROM (
    SELECT w.case_id
    FROM gov.minor_case AS w
    WHERE
        w.state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
        AND w.subject_key IS NOT NULL
        AND (w.class = ANY(CAST(:classes AS text[])) OR w.objected_at IS NOT NULL)
        AND (w.asked_until IS NULL OR w.asked_until <= :now OR w.asked_until = :until)
    ORDER BY
        w.asked_until = :until DESC NULLS LAST,
        w.restriction = 'NONE' ASC, -- whoever nothing was taken from comes last
        w.escalation DESC,
        w.review_due ASC,
        w.discovered_at ASC,
        w.case_id ASC
    LIMIT :most
    FOR UPDATE SKIP LOCKED
) AS chosen
WHERE c.case_id = chosen.case_id
RETURNING c.case_id
