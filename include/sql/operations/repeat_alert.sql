-- Purpose: count what happened again where one message will do: the same kind in the same run within the window.
-- Parameters: kind, run_id, since (start of the window), at, codes (text[]).
-- Grain: at most one alert, whose id is returned. Idempotency: none; each call counts once more.
UPDATE gov.operator_alert AS a
SET
    times = a.times + 1,
    last_at = :at,
    codes = array(SELECT DISTINCT c.code FROM unnest(a.codes || cast(:codes AS text[])) AS c (code) ORDER BY c.code)
WHERE
    a.alert_id = (
        SELECT n.alert_id FROM gov.operator_alert AS n
        WHERE n.kind = :kind AND n.run_id = :run_id AND n.last_at > :since
        ORDER BY n.alert_id DESC LIMIT 1
    )
RETURNING a.alert_id
