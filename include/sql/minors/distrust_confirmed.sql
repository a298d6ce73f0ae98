-- Purpose: no machine erases by a source that cannot be trusted tonight: confirmed cases that stand on nothing else
-- wait, restricted as they are, until the source is sound again or people decide.
-- Parameters: excluded (text[] of sources). Grain: case. Idempotency: a second run changes nothing.
UPDATE gov.minor_case AS c SET
    class = 'SOURCE_SUSPECT',
    source_faults = CAST(:excluded AS text[])
WHERE
    c.class = 'CONFIRMED_MINOR' AND c.decision IS NULL AND c.state IN ('OPEN', 'RESTRICTED', 'ON_HOLD')
    AND EXISTS (
        SELECT 1 FROM gov.minor_signal AS s
        WHERE
            s.case_id = c.case_id AND s.usable AND s.strength = 'S'
            AND s.source_table || '.' || s.source_column = ANY(CAST(:excluded AS text[]))
    )
    AND NOT EXISTS (
        SELECT 1 FROM gov.minor_signal AS s
        WHERE
            s.case_id = c.case_id AND s.usable AND s.strength = 'S'
            AND s.source_table || '.' || s.source_column <> ALL(CAST(:excluded AS text[]))
    )
