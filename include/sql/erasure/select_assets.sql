-- Purpose: planned and done per case and asset.
-- Parameters: plan_id. Grain: case, asset and method. Idempotency: reads only.
SELECT
    case_id,
    asset,
    method,
    planned,
    done
FROM gov.erasure_asset
WHERE plan_id = :plan_id
ORDER BY case_id, asset, method
