-- Purpose: what the sweep counted in one asset.
-- Parameters: plan_id, asset, at, found. Grain: plan, asset and moment. Idempotency: a retry writes its own count.
INSERT INTO gov.erasure_residual (plan_id, asset, looked_at, found)
VALUES (:plan_id, :asset, :at, :found)
ON CONFLICT (plan_id, asset, looked_at) DO UPDATE SET found = excluded.found
