-- Purpose: forget a key of a sealed plan after its exception has ended; a plan in work keeps it.
-- Parameters: plan_id, object_no. Grain: key. Idempotency: forgotten is forgotten.
DELETE FROM gov.erasure_object AS o
USING gov.erasure_plan AS p
WHERE
    o.plan_id = :plan_id AND o.object_no = :object_no AND p.plan_id = o.plan_id AND p.state = 'certified'
    AND o.state = 'erased'
