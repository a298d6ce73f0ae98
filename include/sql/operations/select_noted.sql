-- Purpose: whether something was noted already, however long ago. Parameters: kind, run_ids (text[]).
-- Grain: run. Idempotency: reads only.
SELECT DISTINCT run_id FROM gov.operator_alert
WHERE kind = :kind AND run_id = any(cast(:run_ids AS text[]))
