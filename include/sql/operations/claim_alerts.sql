-- Purpose: take what one channel has not been told, but for kinds of a DAG that it was told about within the window:
-- those wait for the digest. A claim that was never sent (its process was killed) is taken over.
-- Parameters: channel, oldest (forget what is older), window_start, stale (claims before it are dead), at.
-- Grain: the alerts that are to be told now. Idempotency: what is claimed or sent is not taken again.
WITH told AS (
    SELECT DISTINCT
        a.kind,
        a.dag_id
    FROM gov.alert_delivery AS d
    INNER JOIN gov.operator_alert AS a ON d.alert_id = a.alert_id
    WHERE
        d.channel = :channel AND d.claimed_at > :window_start
        AND (d.sent_at IS NOT NULL OR d.claimed_at > :stale)
),

due AS (
    SELECT a.alert_id
    FROM gov.operator_alert AS a
    LEFT JOIN gov.alert_delivery AS d ON a.alert_id = d.alert_id AND d.channel = :channel
    WHERE
        a.noted_at > :oldest
        AND (d.alert_id IS NULL OR (d.sent_at IS NULL AND d.claimed_at <= :stale))
        AND NOT EXISTS (SELECT 1 FROM told AS t WHERE t.kind = a.kind AND t.dag_id = a.dag_id)
)

INSERT INTO gov.alert_delivery (alert_id, channel, claimed_at)
SELECT
    alert_id,
    :channel,
    :at
FROM due
ON CONFLICT (alert_id, channel) DO UPDATE SET claimed_at = excluded.claimed_at
RETURNING alert_id
