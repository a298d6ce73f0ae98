-- Purpose: accesses of a window by the country that the log itself states.
-- Parameters: :since (inclusive), :until (exclusive).
-- Grain: engagement, employer and country (NULL: the log says none).
-- Idempotency: read only.
SELECT
    coalesce(s.engagement, 'unknown') AS engagement,
    coalesce(s.employer, '') AS employer,
    l.country,
    count(*) AS accesses
FROM gov.access_log AS l
LEFT JOIN gov.staff AS s ON l.actor = s.staff_ref
WHERE l.at >= :since AND l.at < :until
GROUP BY s.engagement, s.employer, l.country
ORDER BY s.engagement, s.employer, l.country
