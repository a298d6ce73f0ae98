-- Purpose: hand a case whose person objects to people; nothing is erased before they decide.
-- Parameters: case_id, at. Grain: case. Idempotency: a case that was objected to, or is erased, is left alone.
UPDATE gov.minor_case SET
    objected_at = :at,
    class = CASE WHEN class = 'CONFIRMED_MINOR' THEN 'CONFIRMED_PENDING_COUNTER' ELSE class END
WHERE
    case_id = :case_id AND objected_at IS NULL AND decision IS NULL AND subject_key IS NOT NULL
    AND state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
