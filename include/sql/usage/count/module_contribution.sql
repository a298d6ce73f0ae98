-- Purpose: what each person contributes to each module after the cap.
-- Parameters: none; reads person_module, period_person and excess.
-- Grain: person, module.
-- Idempotency: reads only.
SELECT
    f.course,
    f.module,
    p.institution,
    f.started,
    f.completed,
    CAST(f.seconds - COALESCE(x.seconds, 0) AS integer) AS seconds
FROM person_module AS f
INNER JOIN period_person AS p ON f.person = p.person
LEFT JOIN excess AS x ON f.person = x.person AND f.module = x.module
