-- Purpose: the figures of the gate before an erasure that stand in our own tables.
-- Parameters: plan_id, run_id, as_of. Grain: one row. Idempotency: reads only.
WITH planned AS (
    SELECT
        c.case_id,
        c.class,
        c.state,
        c.decision,
        -- A decision without a person's answer to exactly this evidence is nobody's.
        (
            SELECT count(*) > 0 FROM gov.case_decision AS d
            WHERE d.case_id = c.case_id AND d.evidence_hash = c.evidence_hash AND d.decision = 'CONFIRM'
        ) AS answered,
        c.subject_kind,
        c.subject_ref
    FROM gov.erasure_plan_case AS p
    INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
    WHERE p.plan_id = :plan_id
),

-- Cases with a word from a source that was not trusted, and without one that confirms from a source that was.
suspect AS (
    SELECT s.case_id
    FROM gov.minor_signal AS s
    LEFT JOIN gov.source_observation AS o
        ON o.source = s.source_table || '.' || s.source_column AND o.run_id = :run_id AND o.verdict = 'block'
    GROUP BY s.case_id
    HAVING
        count(o.source) > 0
        AND count(*) FILTER (WHERE o.source IS NULL AND s.usable AND s.strength = 'S') = 0
)

SELECT
    (SELECT count(*) FROM planned) AS cases,
    (
        SELECT count(*) FROM gov.minor_case AS c
        INNER JOIN gov.erasable_case AS e ON c.case_id = e.case_id
        INNER JOIN gov.erasure_plan AS f ON f.plan_id = :plan_id
        WHERE
            c.state <> 'ON_HOLD' AND c.discovered_at <= :as_of
            AND (c.erase_after IS NULL OR c.erase_after <= f.frozen_at)
            -- What people decide after the plan is made waits for the next run, and stops none.
            AND (c.decided_at IS NULL OR c.decided_at <= f.frozen_at)
            AND (c.returned_of IS NOT NULL OR NOT cast(:run_id AS text) LIKE 'restore\_replay/%')
            AND c.case_id <> all(f.set_aside)
            AND NOT EXISTS (SELECT 1 FROM planned AS p WHERE p.case_id = c.case_id)
            AND NOT EXISTS (SELECT 1 FROM suspect AS s WHERE s.case_id = c.case_id)
    ) AS left_out,
    (SELECT cardinality(p.set_aside) FROM gov.erasure_plan AS p WHERE p.plan_id = :plan_id) AS set_aside,
    (
        SELECT count(*) FROM planned AS p
        WHERE
            NOT coalesce(
                (p.decision = 'CONFIRMED' AND p.state = 'DECIDED' AND p.answered)
                OR (
                    p.class = 'CONFIRMED_MINOR' AND p.decision IS NULL
                    AND (p.state = 'RESTRICTED' OR (p.subject_kind = 'row' AND p.state = 'OPEN'))
                ), FALSE
            )
    ) AS not_allowed,
    (SELECT count(*) FROM planned AS p INNER JOIN suspect AS s ON p.case_id = s.case_id) AS from_suspect_source,
    (
        SELECT count(*) FROM planned AS p
        WHERE NOT EXISTS (
            SELECT 1 FROM gov.erasure_row AS r
            WHERE r.plan_id = :plan_id AND r.case_id = p.case_id
        )
    ) AS cases_without_rows,
    (
        SELECT count(*) FROM gov.erasure_row AS r
        WHERE r.plan_id = :plan_id AND NOT EXISTS (SELECT 1 FROM planned AS p WHERE p.case_id = r.case_id)
    ) AS rows_without_case,
    (
        SELECT count(*) FROM gov.legal_hold AS h
        WHERE h.released_at IS NULL AND h.review_on < cast(:as_of AS date)
    ) AS holds_overdue,
    (
        SELECT CASE WHEN g.verdict IN ('pass', 'warn') THEN 0 ELSE 1 END FROM gov.gate_result AS g
        WHERE
            g.run_id = :run_id AND g.gate = CASE
                WHEN cast(:run_id AS text) LIKE 'restore\_replay/%' THEN 'erasure.restored' ELSE 'minors.detection'
            END
        ORDER BY g.gate_result_id DESC LIMIT 1
    ) AS detection_blocked
