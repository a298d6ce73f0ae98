-- Purpose: a mention that was taken out is settled; what else the row says is found by the next sweep.
-- Parameters: case_id, asset, row_key, at. Grain: finding. Idempotency: settled stays settled.
UPDATE gov.return_finding SET
    settled_at = :at,
    row_key = NULL
WHERE
    case_id = :case_id AND asset = :asset AND verdict = 'mention' AND settled_at IS NULL
    AND row_key = cast(:row_key AS text[])
