-- Purpose: the page of one case before anybody looks at the evidence: codes, counts and times, never a person.
-- Parameters: case_id. Grain: one row. Idempotency: reads only.
SELECT
    c.case_id,
    c.subject_kind,
    c.class,
    c.state,
    c.flags,
    c.discovered_at,
    c.restricted_at,
    c.objected_at,
    c.review_due,
    c.escalation,
    c.decision,
    c.decided_at,
    (SELECT count(*) FROM gov.minor_signal AS s WHERE s.case_id = c.case_id) AS cells,
    coalesce(
        (
            SELECT jsonb_object_agg(s.signal, s.n) FROM (
                SELECT
                    g.signal,
                    count(*) AS n
                FROM gov.minor_signal AS g
                WHERE g.case_id = c.case_id
                GROUP BY g.signal
            ) AS s
        ), '{}'
    ) AS signals
FROM gov.minor_case AS c
WHERE c.case_id = :case_id
