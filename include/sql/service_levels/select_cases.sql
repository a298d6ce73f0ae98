-- Purpose: the instants of every case of the window, and of every one that is not over, from which M1 to M4 follow.
-- Parameters: since (window), now. Grain: case, made-up people left out. Idempotency: reads only.
-- available_at: when its evidence could first have been seen; what stood there before anybody looked counts from the
-- first look.
WITH first_look AS (
    SELECT min(r.as_of) AS first_look FROM gov.run AS r
    WHERE r.dag_id = 'minor_data_deletion' AND NOT r.dry_run
),

planned AS (
    SELECT
        case_id,
        plan_id
    FROM gov.erasure_plan_case
    UNION
    SELECT
        case_id,
        plan_id
    FROM gov.certificate
),

newest_plan AS (
    SELECT
        pc.case_id,
        e.database_erased_at,
        e.objects_erased_at,
        row_number() OVER (PARTITION BY pc.case_id ORDER BY e.frozen_at DESC) AS newest
    FROM planned AS pc
    INNER JOIN gov.erasure_plan AS e ON pc.plan_id = e.plan_id
    WHERE e.state <> 'void'
)

SELECT
    c.class,
    c.state,
    c.decision,
    c.discovered_at,
    c.restricted_at,
    c.restriction,
    c.decided_at,
    c.objected_at,
    c.erase_after,
    c.subject_kind,
    greatest(c.evidence_at, f.first_look) AS available_at,
    coalesce(c.evidence_at < f.first_look, true) AS backlog,
    p.database_erased_at AS erased_at,
    p.objects_erased_at AS everywhere_at
FROM gov.minor_case AS c
CROSS JOIN first_look AS f
LEFT JOIN newest_plan AS p ON c.case_id = p.case_id AND p.newest = 1
WHERE
    (c.discovered_at >= :since OR c.state NOT IN ('CLOSED', 'CLEARED'))
    AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
