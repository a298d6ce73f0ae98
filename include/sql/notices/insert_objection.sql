-- Purpose: record that the person says the date is wrong. Parameters: case_id, at. Grain: case.
-- Idempotency: the first objection stands.
INSERT INTO gov.case_objection (case_id, received_at, case_state)
SELECT
    case_id,
    :at,
    state
FROM gov.minor_case
WHERE case_id = :case_id
ON CONFLICT (case_id) DO NOTHING
