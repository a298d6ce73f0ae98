-- Purpose: take cases out of a plan that is being made, and note which.
-- Parameters: plan_id, cases (array of case ids). Grain: plan. Idempotency: only a plan in building.
WITH out_of_it AS (
    DELETE FROM gov.erasure_plan_case AS c
    USING gov.erasure_plan AS p
    WHERE c.plan_id = :plan_id AND p.plan_id = c.plan_id AND p.state = 'building' AND c.case_id = any(:cases)
    RETURNING c.case_id
)

UPDATE gov.erasure_plan SET set_aside = (SELECT array_agg(o.case_id ORDER BY o.case_id) FROM out_of_it AS o)
WHERE plan_id = :plan_id AND state = 'building' AND EXISTS (SELECT 1 FROM out_of_it)
