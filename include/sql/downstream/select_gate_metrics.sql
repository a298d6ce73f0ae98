-- Purpose: the figures that the gate of the outbox judges.
-- Parameters: at, instruct_before, chase_before, breach_before, soon, tables, parties (text arrays of one length: rows
-- of this table are always told to this party). Grain: one row. Idempotency: reads only.
WITH erased AS (
    SELECT
        plan_id,
        database_erased_at
    FROM gov.erasure_plan
    WHERE state IN ('database_erased', 'objects_erased', 'verified', 'certified')
),

open_instruction AS (
    SELECT
        i.instruction_id,
        i.state,
        i.reason = 'ONLY_SHARED' AS only_shared,
        i.instructed_at,
        coalesce(i.instructed_at, e.database_erased_at) AS since
    FROM gov.downstream_instruction AS i
    INNER JOIN erased AS e ON i.plan_id = e.plan_id
    WHERE i.state NOT IN ('acknowledged', 'withdrawn')
),

forgotten AS (
    SELECT a.case_id
    FROM gov.erasure_asset AS a
    INNER JOIN erased AS e ON a.plan_id = e.plan_id
    INNER JOIN unnest(cast(:tables AS text[]), cast(:parties AS text[])) AS t (table_name, party)
        ON a.asset = t.table_name
    INNER JOIN gov.minor_case AS c ON a.case_id = c.case_id
    WHERE
        a.method IN ('DELETE', 'EMPTY')
        AND NOT EXISTS (SELECT 1 FROM gov.canary AS y WHERE y.subject_ref = c.subject_ref)
        AND NOT EXISTS (
            SELECT 1 FROM gov.downstream_instruction AS i
            WHERE i.plan_id = a.plan_id AND i.case_id = a.case_id AND i.party = t.party
        )
)

SELECT
    count(*) AS open_instructions,
    count(*) FILTER (WHERE o.state = 'undeliverable' AND NOT o.only_shared) AS undeliverable,
    count(*) FILTER (WHERE o.only_shared) AS only_shared,
    count(*) FILTER (WHERE o.state = 'refused') AS refused,
    count(*) FILTER (
        WHERE o.instructed_at IS NULL AND NOT o.only_shared AND o.since <= :instruct_before
    ) AS not_instructed,
    count(*) FILTER (WHERE o.since <= :chase_before) AS late,
    count(*) FILTER (WHERE o.state = 'escalated') AS escalated,
    count(*) FILTER (WHERE o.since <= :breach_before) AS breached,
    count(*) FILTER (WHERE o.instructed_at IS NULL AND w.destroyed_at IS NOT NULL) AS identifiers_gone,
    count(*) FILTER (
        WHERE o.instructed_at IS NULL AND w.sealed IS NOT NULL AND w.expires_at <= :soon
    ) AS identifiers_going,
    (SELECT count(*) FROM gov.work_item AS x WHERE x.sealed IS NOT NULL AND x.expires_at < :at) AS items_overdue,
    (
        SELECT count(*) FROM gov.downstream_instruction AS n
        WHERE n.state = 'acknowledged' AND n.ack_found = 0
    ) AS acknowledged_nothing,
    (SELECT count(DISTINCT f.case_id) FROM forgotten AS f) AS forgotten
FROM open_instruction AS o
LEFT JOIN gov.work_item AS w ON o.instruction_id = w.instruction_id
