-- Purpose: what each person contributes to each module after the cap, with where the person is.
-- Parameters: none; reads person_module, excess and period_person.
-- Grain: person, module.
-- Idempotency: reads only.
SELECT
    f.person,
    f.course,
    f.module,
    p.country,
    p.region,
    p.institution,
    f.started,
    f.completed,
    f.passed,
    CAST(f.seconds - COALESCE(x.seconds, 0) AS integer) AS seconds
FROM person_module AS f
INNER JOIN period_person AS p ON f.person = p.person
LEFT JOIN excess AS x ON f.person = x.person AND f.module = x.module
