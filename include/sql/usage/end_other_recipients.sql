-- Purpose: recipients that left the registry file are ended; the register of releases still names them.
-- Parameters: recipients (text array of those in the file).
-- Grain: one row per recipient that left.
-- Idempotency: ended stays ended.
UPDATE gov.recipient SET status = 'ended' WHERE NOT recipient_id = ANY(:recipients)
