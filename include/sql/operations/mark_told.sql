-- Purpose: the channel took the message. Parameters: channel, alerts (bigint[]), at.
-- Grain: those deliveries. Idempotency: the same again.
UPDATE gov.alert_delivery SET sent_at = :at
WHERE channel = :channel AND alert_id = any(cast(:alerts AS bigint[]))
