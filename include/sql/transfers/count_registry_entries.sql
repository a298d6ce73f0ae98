-- Purpose: whether anything was declared on record at an instant.
-- Parameters: :at.
-- Grain: one row.
-- Idempotency: read only.
SELECT count(*) AS n FROM gov.registry_entry WHERE recorded_at <= :at
