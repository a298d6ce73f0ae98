-- Purpose: certified cases about which every party's answer is final now and was not when last signed, a mention was
-- taken out since, or what a hold kept of it was erased since.
-- Parameters: most. Grain: case. Idempotency: reads only; a case with a newer supplement is not due.
WITH newest AS (
    SELECT DISTINCT ON (case_id)
        case_id,
        number,
        told_sha256,
        issued_at
    FROM gov.certificate_supplement
    ORDER BY case_id ASC, number DESC
),

told AS (
    SELECT
        case_id,
        plan_id,
        bool_and(state IN ('acknowledged', 'refused', 'withdrawn')) AS final,
        encode(sha256(convert_to(
            string_agg(instruction_id || ' ' || state, E'\n' ORDER BY instruction_id::text COLLATE "C"), 'UTF8'
        )), 'hex') AS told_sha256
    FROM gov.downstream_instruction
    GROUP BY case_id, plan_id
)

SELECT
    c.case_id,
    c.plan_id,
    c.bucket,
    c.sha256,
    t.told_sha256,
    coalesce(n.number, 0) + 1 AS number
FROM gov.certificate AS c
LEFT JOIN told AS t ON c.case_id = t.case_id AND c.plan_id = t.plan_id
LEFT JOIN newest AS n ON c.case_id = n.case_id
WHERE
    (t.final AND t.told_sha256 <> coalesce(n.told_sha256, c.told_sha256))
    OR EXISTS (
        SELECT 1 FROM gov.redaction AS r
        WHERE r.case_id = c.case_id AND r.state = 'verified' AND r.ended_at > coalesce(n.issued_at, c.issued_at)
    )
    OR EXISTS (
        SELECT 1 FROM gov.erasure_ledger AS l
        WHERE l.case_id = c.case_id AND l.kind = 'held_erased' AND l.at > coalesce(n.issued_at, c.issued_at)
    )
ORDER BY c.case_id
LIMIT :most
