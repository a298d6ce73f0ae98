-- Purpose: people confirmed the case; the next erasure run takes it up.
-- Parameters: case_id, at, reason, states (text[] from which this is allowed). Grain: case.
-- Idempotency: a decided case is left alone.
UPDATE gov.minor_case SET
    state = 'DECIDED',
    decision = 'CONFIRMED',
    decided_at = :at,
    decision_reason = :reason,
    decided_by = 'reviewers',
    asked_until = NULL
WHERE case_id = :case_id AND decision IS NULL AND state = ANY(CAST(:states AS text[]))
