-- Purpose: distinct addresses of a window of the access log, with how often they were seen and whose people used them.
-- Read in order of addresses, so that neighbours of one network follow each other. For a lookup in memory only.
-- Parameters: :since (inclusive), :until (exclusive).
-- Grain: address, engagement and employer.
-- Idempotency: read only.
SELECT
    l.ip AS address,
    coalesce(s.engagement, 'unknown') AS engagement,
    coalesce(s.employer, '') AS employer,
    count(*) AS accesses
FROM gov.access_log AS l
LEFT JOIN gov.staff AS s ON l.actor = s.staff_ref
WHERE l.at >= :since AND l.at < :until
GROUP BY l.ip, s.engagement, s.employer
ORDER BY l.ip
