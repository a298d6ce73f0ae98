-- Purpose: plans that a restored database thinks are under way, and that the ledger says were certified.
-- Parameters: none. Grain: plan. Idempotency: void stays void.
UPDATE gov.erasure_plan AS p SET state = 'void'
WHERE
    p.state NOT IN ('void', 'certified')
    AND EXISTS (SELECT 1 FROM gov.erasure_plan_case AS c WHERE c.plan_id = p.plan_id)
    AND NOT EXISTS (
        SELECT 1 FROM gov.erasure_plan_case AS c
        WHERE
            c.plan_id = p.plan_id
            AND NOT EXISTS (
                SELECT 1 FROM gov.erasure_ledger AS l
                WHERE l.case_id = c.case_id AND l.kind = 'certified'
            )
    )
RETURNING p.plan_id
