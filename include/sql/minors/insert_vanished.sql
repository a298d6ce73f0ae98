-- Purpose: an empty judgement for every open case whose subject no longer says anything about age.
-- Parameters: key_id. Grain: subject. Idempotency: subjects judged already are left alone.
-- What came back of an erased person stands on the case that was erased, and needs no evidence of its own.
INSERT INTO judged (
    subject_kind, subject_table, subject_key, class, flags, refs, ref_key_id, evidence_hashes, feed
)
SELECT
    c.subject_kind,
    c.subject_table,
    c.subject_key,
    'NO_EVIDENCE',
    '{DOB_MISSING}',
    ARRAY[c.subject_ref],
    :key_id,
    ARRAY['none'],
    c.feed
FROM gov.minor_case AS c
WHERE
    c.state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD', 'DECIDED')
    AND c.subject_key IS NOT NULL AND c.returned_of IS NULL
ON CONFLICT (subject_table, subject_key) DO NOTHING
