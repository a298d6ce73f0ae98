-- Purpose: record what each case of this run stands on. The value is kept as a hash salted with the case.
-- Parameters: run_id. Grain: case, source and source row. Idempotency: known statements are left alone.
INSERT INTO gov.minor_signal (
    case_id, source_table, source_column, row_key, signal, strength, usable, flags, value_hash,
    rule, span_start, span_end
)
SELECT
    c.case_id,
    s.source_table,
    s.source_column,
    s.row_key,
    s.signal,
    s.strength,
    s.usable,
    s.flags,
    encode(sha256(convert_to(cast(c.case_id AS text) || ' ' || s.value, 'UTF8')), 'hex'),
    s.rule,
    s.span_start,
    s.span_end
FROM judged_signal AS s
INNER JOIN gov.minor_case AS c ON s.subject_table = c.subject_table AND s.subject_key = c.subject_key
WHERE c.judged_by_run = :run_id AND c.state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD')
ON CONFLICT (case_id, source_table, source_column, row_key) DO NOTHING
