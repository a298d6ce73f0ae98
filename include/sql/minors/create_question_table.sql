-- Purpose: the subjects whose whole evidence is read: candidates, and everybody with an open case.
-- Parameters: none. Grain: subject. Idempotency: gone with the transaction.
CREATE TEMPORARY TABLE subject_in_question ON COMMIT DROP AS
SELECT
    subject_kind,
    subject_table,
    subject_key
FROM candidate
UNION
SELECT
    subject_kind,
    subject_table,
    subject_key
FROM gov.minor_case
WHERE state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD') AND subject_key IS NOT NULL
