-- Purpose: people and seconds of each course by world region, added up from its countries.
-- Parameters: none; reads country_cell.
-- Grain: course, region.
-- Idempotency: reads only.
SELECT
    c.course,
    c.region,
    CAST(SUM(c.learners) AS bigint) AS learners,
    CAST(SUM(c.starters) AS bigint) AS starters,
    CAST(SUM(c.completers) AS bigint) AS completers,
    CAST(SUM(c.seconds) AS bigint) AS seconds,
    CAST(SUM(c.cohort_starters) AS bigint) AS cohort_starters,
    CAST(SUM(c.cohort_completers) AS bigint) AS cohort_completers,
    CAST(SUM(c.cohort_passed) AS bigint) AS cohort_passed
FROM country_cell AS c
GROUP BY c.course, c.region
