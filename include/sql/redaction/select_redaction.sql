-- Purpose: the page of one proposal before anybody looks at the text: where, how many places, where it stands.
-- Parameters: redaction_id. Grain: one row. Idempotency: reads only.
SELECT
    redaction_id,
    case_id,
    table_name,
    column_name,
    cardinality(firsts) AS places,
    state,
    proposed_by,
    proposed_at
FROM gov.redaction
WHERE redaction_id = :redaction_id
