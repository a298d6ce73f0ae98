-- Purpose: the subjects whose whole evidence is read: candidates, and in a whole pass everybody with an open case.
-- Parameters: whole (boolean). Grain: subject. Idempotency: gone with the transaction.
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
WHERE
    CAST(:whole AS boolean)
    AND state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD', 'DECIDED') AND subject_key IS NOT NULL
