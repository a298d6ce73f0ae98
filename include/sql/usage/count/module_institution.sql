-- Purpose: in how many institutions the people of each module are, and how many are in the largest.
-- Parameters: none; reads module_contribution.
-- Grain: module.
-- Idempotency: reads only. All unresolved institutions are one, number 0.
SELECT
    o.module,
    COUNT(*) AS institutions,
    MAX(o.people) AS largest_institution
FROM (
    SELECT
        p.module,
        COUNT(*) AS people
    FROM module_contribution AS p
    GROUP BY p.module, p.institution
) AS o
GROUP BY o.module
