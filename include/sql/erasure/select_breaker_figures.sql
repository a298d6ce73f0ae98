-- Purpose: what the volume breaker decides on: confirmed cases of the last hours, and those that this run's plan
-- would erase however long they waited (a night that nobody released must ask again), canaries left out.
-- Parameters: as_of, window_hours, median_days, run_id. Grain: one row. Idempotency: reads only.
WITH recent AS (
    SELECT
        c.case_id,
        c.feed
    FROM gov.minor_case AS c
    WHERE
        c.class = 'CONFIRMED_MINOR'
        AND c.returned_of IS NULL -- shown to be an erased person's by its keyed reference: no feed can make these up
        AND c.discovered_at <= :as_of
        AND (
            c.discovered_at > :as_of - make_interval(hours => :window_hours)
            OR EXISTS (
                SELECT 1 FROM gov.erasure_plan_case AS pc
                INNER JOIN gov.erasure_plan AS p ON pc.plan_id = p.plan_id
                WHERE pc.case_id = c.case_id AND p.run_id = :run_id AND p.state <> 'void'
            )
        )
        AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
),

earlier AS (
    SELECT
        r.run_id,
        count(c.case_id) AS cases
    FROM gov.run AS r
    LEFT JOIN gov.minor_case AS c
        ON
            r.run_id = c.opened_by_run AND c.class = 'CONFIRMED_MINOR'
            AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
    WHERE
        r.dag_id = (SELECT t.dag_id FROM gov.run AS t WHERE t.run_id = :run_id)
        AND r.run_id <> :run_id AND NOT r.dry_run AND r.run_type <> 'backfill'
        AND r.as_of < :as_of AND r.as_of >= :as_of - make_interval(days => :median_days)
    GROUP BY r.run_id
)

SELECT
    (SELECT count(*) FROM recent) AS confirmed,
    (
        SELECT coalesce(max(f.n), 0)
        FROM (SELECT count(*) AS n FROM recent GROUP BY feed) AS f
    ) AS largest_feed,
    (SELECT count(*) FROM earlier) AS history_runs,
    (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY cases) FROM earlier) AS median
