-- Purpose: the figures of the gate after an erasure that stand in our own tables.
-- Parameters: plan_id. Grain: one row. Idempotency: reads only.
SELECT
    (
        SELECT count(*) FROM gov.erasure_step AS s
        WHERE
            s.plan_id = :plan_id
            AND (s.found IS NULL OR s.found <> s.planned OR s.found <> s.deleted + s.retained)
    ) AS steps_unbalanced,
    (
        SELECT count(*) FROM (
            SELECT
                s.table_name,
                coalesce(sum(s.planned) FILTER (WHERE s.action = 'DELETE'), 0) AS to_delete,
                coalesce(sum(s.planned) FILTER (WHERE s.action IN ('EMPTY', 'UNLINK')), 0) AS to_update
            FROM gov.erasure_step AS s
            WHERE s.plan_id = :plan_id AND s.action <> 'KEEP' AND s.planned > 0
            GROUP BY s.table_name
        ) AS e
        FULL JOIN (
            SELECT * FROM gov.erasure_change
            WHERE plan_id = :plan_id
        ) AS c ON e.table_name = c.table_name
        WHERE
            c.deleted IS DISTINCT FROM coalesce(e.to_delete, 0)
            OR c.updated IS DISTINCT FROM coalesce(e.to_update, 0)
            OR c.inserted <> 0
    ) AS tables_not_conserved,
    (
        SELECT count(*) FROM gov.erasure_hold AS k
        WHERE k.plan_id = :plan_id AND k.kept IS DISTINCT FROM k.planned
    ) AS held_unbalanced,
    (SELECT count(*) FROM gov.redaction WHERE state IN ('intended', 'redacted')) AS redactions_unproven,
    (
        SELECT count(*) FROM gov.erasure_object AS o
        WHERE o.plan_id = :plan_id AND o.state = 'planned'
    ) + (
        SELECT count(*) FROM gov.erasure_rewrite AS w
        WHERE w.plan_id = :plan_id AND w.state = 'planned'
    ) AS objects_failed,
    (
        SELECT CASE WHEN p.control -> 'before' = p.control -> 'after' THEN 0 ELSE 1 END FROM gov.erasure_plan AS p
        WHERE p.plan_id = :plan_id
    ) AS control_changed,
    (SELECT p.cases FROM gov.erasure_plan AS p WHERE p.plan_id = :plan_id) AS cases,
    (
        SELECT count(*) FROM gov.erasure_plan_case AS p
        INNER JOIN gov.minor_case AS c ON p.case_id = c.case_id
        INNER JOIN gov.canary AS k ON c.subject_ref = k.subject_ref
        WHERE p.plan_id = :plan_id
    ) AS canaries_erased,
    (
        SELECT count(*) FROM gov.canary AS k
        WHERE
            k.planted_at <= (SELECT p.as_of FROM gov.erasure_plan AS p WHERE p.plan_id = :plan_id)
            AND k.expect = 'CONFIRMED_MINOR' AND k.withdrawn_at IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM gov.minor_case AS c
                WHERE c.subject_ref = k.subject_ref AND c.state IN ('PRIMARY_ERASED', 'VERIFYING', 'CLOSED', 'ON_HOLD')
            )
    ) AS canaries_left
