-- Purpose: what the volume breaker decides on: confirmed cases of the last hours, and those that this run's plan
-- would erase however long they waited (a night that nobody released must ask again), canaries left out.
-- Parameters: as_of, window_hours, median_days, run_id. Grain: one row. Idempotency: reads only.
WITH recent AS (
    SELECT
        c.case_id,
        c.feed
    FROM gov.minor_case AS c
    WHERE
        (c.class = 'CONFIRMED_MINOR' OR c.decision = 'CONFIRMED')
        AND c.returned_of IS NULL -- shown to be an erased person's by its keyed reference: no feed can make these up
        AND NOT cast(:run_id AS text) LIKE 'restore\_replay/%' -- erases what came back and nothing else
        AND c.discovered_at <= :as_of
        AND (
            coalesce(c.decided_at, c.discovered_at) > :as_of - make_interval(hours => :window_hours)
            OR EXISTS (
                SELECT 1 FROM gov.erasure_plan_case AS pc
                INNER JOIN gov.erasure_plan AS p ON pc.plan_id = p.plan_id
                WHERE pc.case_id = c.case_id AND p.run_id = :run_id AND p.state <> 'void'
            )
        )
        AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
),

earlier AS ( -- one per day, whichever job found the cases: a run that an intake asked for is no night of its own
    SELECT DISTINCT ON (cast(r.as_of AT TIME ZONE 'UTC' AS date))
        r.run_id,
        (
            SELECT count(*) FROM gov.minor_case AS c
            WHERE
                (c.class = 'CONFIRMED_MINOR' OR c.decision = 'CONFIRMED')
                AND c.discovered_at <= r.as_of
                AND c.discovered_at > r.as_of - make_interval(hours => :window_hours)
                AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
        ) AS cases
    FROM gov.run AS r
    WHERE
        r.dag_id = (SELECT t.dag_id FROM gov.run AS t WHERE t.run_id = :run_id)
        AND r.run_id <> :run_id AND NOT r.dry_run AND r.run_type <> 'backfill'
        AND r.as_of < :as_of AND r.as_of >= :as_of - make_interval(days => :median_days)
    ORDER BY cast(r.as_of AT TIME ZONE 'UTC' AS date), r.as_of DESC
)

SELECT
    (SELECT count(*) FROM recent) AS confirmed,
    (
        SELECT coalesce(max(f.n), 0)
        FROM (SELECT count(*) AS n FROM recent GROUP BY feed) AS f
    ) AS largest_feed,
    (SELECT count(*) FROM earlier) AS history_runs,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cases) FROM earlier) AS median
