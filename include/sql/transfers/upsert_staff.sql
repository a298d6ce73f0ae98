-- Purpose: takes over the people list; whom it no longer names has ended on its day.
-- Parameters: :rows (JSON array), :listed_on (date).
-- Grain: one person with access.
-- Idempotency: the same list writes the same.
WITH listed AS (
    SELECT r.* FROM jsonb_to_recordset(cast(:rows AS jsonb))
        AS r (staff_ref text, engagement text, employer text, home_country text, ended_on date)
),

gone AS (
    UPDATE gov.staff AS s SET ended_on = :listed_on
    WHERE s.ended_on IS NULL AND s.staff_ref NOT IN (SELECT l.staff_ref FROM listed AS l)
)

INSERT INTO gov.staff (staff_ref, engagement, employer, home_country, ended_on)
SELECT
    listed.staff_ref,
    listed.engagement,
    listed.employer,
    listed.home_country,
    listed.ended_on
FROM listed
ON CONFLICT (staff_ref) DO UPDATE SET
    engagement = excluded.engagement,
    employer = excluded.employer,
    home_country = excluded.home_country,
    ended_on = excluded.ended_on
