-- Purpose: remember the week of a run; the first answer stands.
-- Parameters: run_id, iso_week.
-- Grain: one row; returns the week that stands.
-- Idempotency: a second call changes nothing.
UPDATE gov.run SET facts = JSONB_BUILD_OBJECT('iso_week', CAST(:iso_week AS text)) || facts
WHERE run_id = :run_id
RETURNING facts ->> 'iso_week'
