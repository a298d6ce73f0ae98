-- Purpose: remember by when people should have decided a case, and how far it has risen.
-- Parameters: case_id, due, escalation. Grain: case. Idempotency: escalation only rises.
UPDATE gov.minor_case SET
    review_due = :due,
    escalation = GREATEST(escalation, :escalation)
WHERE case_id = :case_id AND state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
