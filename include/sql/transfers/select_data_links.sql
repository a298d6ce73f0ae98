-- Purpose: ways by which rows leave the server or come to it by themselves: names and hosts, no secrets.
-- Parameters: none.
-- Grain: one replica, idle slot, publication, foreign server or subscription.
-- Idempotency: read only.
SELECT
    l.kind,
    l.name,
    l.host
FROM gov.data_links() AS l
ORDER BY l.kind, l.name, l.host
