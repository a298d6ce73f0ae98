-- Purpose: a plan that erased nothing has announced nothing.
-- Parameters: plan_id. Grain: plan. Idempotency: withdrawn once; gives no row then.
UPDATE gov.erasure_plan SET intent_at = NULL
FROM gov.erasure_plan AS before
WHERE
    erasure_plan.plan_id = :plan_id AND before.plan_id = erasure_plan.plan_id
    AND erasure_plan.intent_at IS NOT NULL AND erasure_plan.state IN ('frozen', 'void')
RETURNING before.intent_at, erasure_plan.sha256
