-- Purpose: which of these destinations no job may write to now, and whether an inventory has set the list of late.
-- Parameters: :destinations (text array), :fresh_after (time).
-- Grain: one row; blocked is empty when none is.
-- Idempotency: read only.
SELECT
    EXISTS(SELECT 1 FROM gov.block_list_renewal AS r WHERE r.renewed_at >= :fresh_after) AS fresh,
    ARRAY(
        SELECT DISTINCT b.destination FROM gov.blocked_destination AS b
        WHERE b.lifted_at IS NULL AND b.destination = ANY(CAST(:destinations AS text[]))
        ORDER BY b.destination
    ) AS blocked
