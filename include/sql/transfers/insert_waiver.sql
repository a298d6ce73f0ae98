-- Purpose: a named person takes the risk of one finding until a day.
-- Parameters: :fingerprint, :approver, :reason, :at, :today, :until.
-- Grain: one waiver.
-- Idempotency: none; a second waiver stands beside the first, and the later end counts.
INSERT INTO gov.finding_waiver (fingerprint, approver, reason, waived_at, waived_on, expires_on)
VALUES (:fingerprint, :approver, :reason, :at, :today, :until)
