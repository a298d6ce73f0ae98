-- Purpose: true counts of courses. They stay in the process that protects them.
-- Parameters: none; reads place_part and place_top.
-- Grain: course; only those with people.
-- Idempotency: reads only. All unresolved institutions are one, number 0.
WITH one_institution AS (
    SELECT
        a.course,
        a.institution,
        SUM(a.learners) AS learners,
        SUM(a.starters) AS starters,
        SUM(a.completers) AS completers,
        SUM(a.seconds) AS seconds,
        SUM(a.cohort_starters) AS cohort_starters,
        SUM(a.cohort_completers) AS cohort_completers,
        SUM(a.cohort_passed) AS cohort_passed
    FROM place_part AS a
    GROUP BY a.course, a.institution
),

longest AS (
    SELECT
        r.course,
        MAX(r.seconds) AS seconds_top1,
        MAX(CASE WHEN r.place = 2 THEN r.seconds ELSE 0 END) AS seconds_top2
    FROM (
        SELECT
            b.course,
            b.seconds,
            ROW_NUMBER() OVER (PARTITION BY b.course ORDER BY b.seconds DESC) AS place
        FROM place_top AS b
    ) AS r
    WHERE r.place <= 2
    GROUP BY r.course
)

SELECT
    i.course,
    CAST(SUM(i.learners) AS bigint) AS learners,
    CAST(SUM(i.starters) AS bigint) AS starters,
    CAST(SUM(i.completers) AS bigint) AS completers,
    CAST(SUM(i.seconds) AS bigint) AS seconds,
    CAST(SUM(i.cohort_starters) AS bigint) AS cohort_starters,
    CAST(SUM(i.cohort_completers) AS bigint) AS cohort_completers,
    CAST(SUM(i.cohort_passed) AS bigint) AS cohort_passed,
    COUNT(*) AS institutions,
    CAST(MAX(i.learners) AS bigint) AS largest_institution,
    MAX(t.seconds_top1) AS seconds_top1,
    MAX(t.seconds_top2) AS seconds_top2
FROM one_institution AS i
INNER JOIN longest AS t ON i.course = t.course
GROUP BY i.course
ORDER BY i.course
