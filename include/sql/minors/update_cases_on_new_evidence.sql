-- Purpose: judge an open case anew when its evidence is not what it was, or its source can be trusted again. Never
-- lets anybody go by itself, and never softens a restriction.
-- Parameters: opens (text[] of classes that restrict), otherwise (class when the new evidence would restrict nobody),
--   at, run_id, excluded (text[] of sources that cannot be trusted). Grain: case.
-- Idempotency: the new evidence is remembered, so a second run changes nothing.
UPDATE gov.minor_case AS c SET
    class = CASE WHEN j.class = ANY(CAST(:opens AS text[])) THEN j.class ELSE :otherwise END,
    restriction = 'HARD',
    source_faults = '{}',
    flags = j.flags,
    evidence_hash = j.evidence_hashes[1],
    feed = j.feed,
    evidence_at = j.evidence_at,
    adult_on = COALESCE(j.adult_on, c.adult_on),
    discovered_at = :at,
    -- What people decided, they decided about other evidence, and a question that waits is about it, too: the next
    -- review asks, and does not wait until that question times out.
    decision = NULL,
    decided_at = NULL,
    decision_reason = NULL,
    asked_until = NULL,
    review_due = NULL,
    state = CASE
        WHEN c.state <> 'DECIDED' THEN c.state
        WHEN c.restricted_at IS NULL THEN 'OPEN'
        ELSE 'RESTRICTED'
    END,
    judged_by_run = :run_id
FROM judged AS j
WHERE
    c.subject_table = j.subject_table AND c.subject_key = j.subject_key
    AND c.state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD', 'DECIDED')
    AND (
        (c.class = 'SOURCE_SUSPECT' AND c.decision IS NULL)
        OR NOT COALESCE(c.evidence_hash = ANY(j.evidence_hashes), FALSE)
    )
    -- What came back of an erased person stands on that erasure: evidence of its own can only confirm it.
    AND (c.returned_of IS NULL OR j.class = 'CONFIRMED_MINOR')
    -- Nobody is locked for being an adult: these two wait for people unless a child is seen now.
    AND (
        c.class NOT IN ('SOURCE_SUSPECT', 'ADULT_NOW_COLLECTED_AS_MINOR')
        OR j.class = ANY(CAST(:opens AS text[]))
        OR c.decision IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_signal AS s
        WHERE s.case_id = c.case_id AND s.source_table || '.' || s.source_column = ANY(CAST(:excluded AS text[]))
    )
