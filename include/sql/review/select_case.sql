-- Purpose: what the question about one case is made of: codes, counts and times, nothing that says who it is.
-- Parameters: case_id. Grain: one row. Idempotency: reads only.
SELECT
    c.case_id,
    c.subject_kind,
    c.class,
    c.state,
    c.flags,
    c.evidence_hash,
    c.decision,
    c.escalation,
    c.review_due,
    c.discovered_at,
    c.restricted_at,
    c.objected_at,
    COALESCE(c.objected_at, c.restricted_at, c.discovered_at) AS waits_since,
    COALESCE(
        (
            SELECT JSONB_OBJECT_AGG(s.signal, s.n) FROM (
                SELECT
                    g.signal,
                    COUNT(*) AS n
                FROM gov.minor_signal AS g
                WHERE g.case_id = c.case_id
                GROUP BY g.signal
            ) AS s
        ), '{}'
    ) AS signals
FROM gov.minor_case AS c
WHERE c.case_id = :case_id
