-- Purpose: people and seconds of each course by world region, added up from its countries. The longest stay is the
-- longest of a country; the second is the second of that country, or the longest of another.
-- Parameters: none; reads country_cell.
-- Grain: course, region.
-- Idempotency: reads only.
SELECT
    p.course,
    p.region,
    CAST(SUM(p.learners) AS bigint) AS learners,
    CAST(SUM(p.starters) AS bigint) AS starters,
    CAST(SUM(p.completers) AS bigint) AS completers,
    CAST(SUM(p.seconds) AS bigint) AS seconds,
    CAST(SUM(p.cohort_starters) AS bigint) AS cohort_starters,
    CAST(SUM(p.cohort_completers) AS bigint) AS cohort_completers,
    CAST(SUM(p.cohort_passed) AS bigint) AS cohort_passed,
    MAX(p.seconds_top1) AS seconds_top1,
    MAX(CASE WHEN p.place = 1 THEN p.seconds_top2 ELSE p.seconds_top1 END) AS seconds_top2
FROM (
    SELECT
        c.*,
        ROW_NUMBER() OVER (PARTITION BY c.course, c.region ORDER BY c.seconds_top1 DESC) AS place
    FROM country_cell AS c
) AS p
GROUP BY p.course, p.region
