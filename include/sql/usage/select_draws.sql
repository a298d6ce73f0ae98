-- Purpose: draws of noisy counts that were made of some periods.
-- Parameters: periods (text array), spec_version.
-- Grain: one row per period.
-- Idempotency: reads only.
SELECT
    d.period_key,
    d.rho,
    d.cells_per_person,
    d.cells,
    d.sha256
FROM gov.privacy_draw AS d
WHERE d.period_key = ANY(:periods) AND d.spec_version = :spec_version
ORDER BY d.period_key
