-- Purpose: draws of a period under other rules from which something was released: a second draw of it would let a
-- reader average the noise away.
-- Parameters: period_key, spec_version.
-- Grain: one row.
-- Idempotency: reads only.
SELECT COUNT(DISTINCT d.spec_version) AS draws
FROM gov.privacy_draw AS d
INNER JOIN gov.release_register AS r
    ON d.period_key = r.period_key AND d.spec_version = r.spec_version
WHERE d.period_key = :period_key AND d.spec_version <> :spec_version
