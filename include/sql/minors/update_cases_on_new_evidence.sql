-- Purpose: judge an open case anew when its evidence is not what it was; never lets anybody go by itself.
-- Parameters: opens (text[] of classes), otherwise (class when the new evidence would open nothing), at, run_id,
--   excluded (text[] of sources that were not read). Grain: case.
-- Idempotency: the new evidence is remembered, so a second run changes nothing.
UPDATE gov.minor_case AS c SET
    class = CASE WHEN j.class = ANY(CAST(:opens AS text[])) THEN j.class ELSE :otherwise END,
    flags = j.flags,
    evidence_hash = j.evidence_hashes[1],
    feed = j.feed,
    evidence_at = j.evidence_at,
    adult_on = COALESCE(j.adult_on, c.adult_on),
    discovered_at = :at,
    judged_by_run = :run_id
FROM judged AS j
WHERE
    c.subject_table = j.subject_table AND c.subject_key = j.subject_key
    AND c.state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
    AND NOT COALESCE(c.evidence_hash = ANY(j.evidence_hashes), false)
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_signal AS s
        WHERE s.case_id = c.case_id AND s.source_table || '.' || s.source_column = ANY(CAST(:excluded AS text[]))
    )
