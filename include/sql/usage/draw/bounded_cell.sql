-- Purpose: drawn counts in which nobody adds to more cells than the noise allows for: to those first in a public order
-- that knows no person, so that nobody's cells depend on anybody else.
-- Parameters: cells_per_person; reads person_cell.
-- Grain: one row per cell with people.
-- Idempotency: reads only.
SELECT
    b.cell,
    COUNT(*) AS people
FROM (
    SELECT
        k.cell,
        ROW_NUMBER() OVER (PARTITION BY k.person ORDER BY k.turn) AS place
    FROM person_cell AS k
) AS b
WHERE b.place <= :cells_per_person
GROUP BY b.cell
