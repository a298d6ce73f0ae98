-- Purpose: true counts of modules. They stay in the process that protects them.
-- Parameters: none; reads module_part and module_top.
-- Grain: course, module; only those with people.
-- Idempotency: reads only. All unresolved institutions are one, number 0.
WITH one_institution AS (
    SELECT
        a.course,
        a.module,
        a.institution,
        SUM(a.learners) AS learners,
        SUM(a.starters) AS starters,
        SUM(a.completers) AS completers,
        SUM(a.seconds) AS seconds
    FROM module_part AS a
    GROUP BY a.course, a.module, a.institution
),

longest AS (
    SELECT
        r.course,
        r.module,
        MAX(r.seconds) AS seconds_top1,
        MAX(CASE WHEN r.place = 2 THEN r.seconds ELSE 0 END) AS seconds_top2
    FROM (
        SELECT
            b.course,
            b.module,
            b.seconds,
            ROW_NUMBER() OVER (PARTITION BY b.course, b.module ORDER BY b.seconds DESC) AS place
        FROM module_top AS b
    ) AS r
    WHERE r.place <= 2
    GROUP BY r.course, r.module
)

SELECT
    i.course,
    i.module,
    CAST(SUM(i.learners) AS bigint) AS learners,
    CAST(SUM(i.starters) AS bigint) AS starters,
    CAST(SUM(i.completers) AS bigint) AS completers,
    CAST(SUM(i.seconds) AS bigint) AS seconds,
    0 AS cohort_starters,
    0 AS cohort_completers,
    0 AS cohort_passed,
    COUNT(*) AS institutions,
    CAST(MAX(i.learners) AS bigint) AS largest_institution,
    MAX(t.seconds_top1) AS seconds_top1,
    MAX(t.seconds_top2) AS seconds_top2
FROM one_institution AS i
INNER JOIN longest AS t ON i.course = t.course AND i.module = t.module
GROUP BY i.course, i.module
ORDER BY i.course, i.module
