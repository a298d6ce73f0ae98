-- Purpose: what a search found of an erased person.
-- Parameters: case_id, run_id, at, asset, found_by, verdict, rows, row_key (text[]), follow_up.
-- Grain: finding. Idempotency: the same finding of one run is written once.
INSERT INTO gov.return_finding (case_id, run_id, found_at, asset, found_by, verdict, rows, row_key, follow_up)
SELECT
    cast(:case_id AS uuid),
    :run_id,
    :at,
    :asset,
    :found_by,
    :verdict,
    :rows,
    cast(:row_key AS text[]),
    cast(:follow_up AS uuid)
WHERE
    NOT EXISTS (
        SELECT 1 FROM gov.return_finding AS f
        WHERE
            f.case_id = cast(:case_id AS uuid) AND f.asset = :asset AND f.verdict = :verdict
            AND f.settled_at IS NULL
            AND f.row_key IS NOT DISTINCT FROM cast(:row_key AS text[])
            AND f.follow_up IS NOT DISTINCT FROM cast(:follow_up AS uuid)
    )
