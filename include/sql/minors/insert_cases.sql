-- Purpose: open a case for each judged subject that has none open and was not cleared on the same evidence.
-- Parameters: opens (text[] of classes), at, run_id. Grain: case; returns how each is restricted.
-- Idempotency: a subject with an open case, or cleared on this evidence, is left alone.
INSERT INTO gov.minor_case (
    subject_kind, subject_table, subject_key, subject_ref, ref_key_id, class, state, flags, evidence_hash, feed,
    discovered_at, evidence_at, adult_on, restriction, source_faults, opened_by_run, judged_by_run
)
SELECT
    j.subject_kind,
    j.subject_table,
    j.subject_key,
    j.refs[1],
    j.ref_key_id,
    j.class,
    'OPEN',
    j.flags,
    j.evidence_hashes[1],
    j.feed,
    :at,
    j.evidence_at,
    j.adult_on,
    j.restriction,
    j.source_faults,
    :run_id,
    :run_id
FROM judged AS j
WHERE
    j.class = ANY(CAST(:opens AS text[]))
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_case AS c
        WHERE
            c.subject_ref = ANY(j.refs) AND c.state = 'CLEARED'
            AND c.evidence_hash = ANY(j.evidence_hashes)
    )
ON CONFLICT (subject_table, subject_key) WHERE state NOT IN ('CLOSED', 'CLEARED') DO NOTHING
RETURNING restriction
