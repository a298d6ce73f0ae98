-- Purpose: the channel refused the message: the next look tries again. Parameters: channel, alerts (bigint[]).
-- Grain: those claims. Idempotency: the second time nothing is there.
DELETE FROM gov.alert_delivery
WHERE channel = :channel AND alert_id = any(cast(:alerts AS bigint[])) AND sent_at IS NULL
