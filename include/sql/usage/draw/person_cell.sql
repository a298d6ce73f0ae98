-- Purpose: which drawn counts each person adds one to: a course and its modules, the country and its region.
-- Parameters: none; reads person_module, person_course, period_person, drawn_cell.
-- Grain: person, cell. Level 0 is the course, 1 a module, 2 a country, 3 a region; measure 0 starters, 1 completers.
-- Idempotency: reads only.
SELECT
    c.person,
    d.cell,
    d.turn
FROM (
    SELECT
        f.person,
        f.course,
        0 AS level,
        0 AS part,
        f.started,
        f.completed
    FROM person_course AS f
    UNION ALL
    SELECT
        m.person,
        m.course,
        1 AS level,
        m.module AS part,
        m.started,
        m.completed
    FROM person_module AS m
    UNION ALL
    SELECT
        f.person,
        f.course,
        2 AS level,
        p.country AS part,
        f.started,
        f.completed
    FROM person_course AS f
    INNER JOIN period_person AS p ON f.person = p.person
    UNION ALL
    SELECT
        f.person,
        f.course,
        3 AS level,
        p.region AS part,
        f.started,
        f.completed
    FROM person_course AS f
    INNER JOIN period_person AS p ON f.person = p.person
) AS c
INNER JOIN drawn_cell AS d ON c.course = d.course AND c.level = d.level AND c.part = d.part
WHERE (d.measure = 0 AND c.started = 1) OR (d.measure = 1 AND c.completed = 1)
