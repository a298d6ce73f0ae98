-- Purpose: people with access by the country in which they are engaged.
-- Parameters: :today (date).
-- Grain: engagement, employer and country.
-- Idempotency: read only.
SELECT
    s.engagement,
    s.employer,
    s.home_country AS country,
    count(*) AS people
FROM gov.staff AS s
WHERE s.ended_on IS NULL OR s.ended_on >= :today
GROUP BY s.engagement, s.employer, s.home_country
ORDER BY s.engagement, s.employer, s.home_country
