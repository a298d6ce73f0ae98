-- Purpose: people cleared the case; what stays is the hash of its evidence, so that the same does not reopen it.
-- Parameters: case_id, at, reason, states (text[] from which this is allowed). Grain: case.
-- Idempotency: a decided case is left alone.
UPDATE gov.minor_case SET
    state = 'CLEARED',
    decision = 'CLEARED',
    decided_at = :at,
    decision_reason = :reason,
    decided_by = 'reviewers',
    asked_until = NULL,
    subject_key = NULL,
    adult_on = NULL,
    closed_at = :at
WHERE case_id = :case_id AND decision IS NULL AND state = ANY(CAST(:states AS text[]))
