-- Purpose: nobody looks for what was never erased.
-- Parameters: plan_id. Grain: identifier. Idempotency: gone is gone. Cases erased earlier keep what their sweeps need.
DELETE FROM gov.sweep_identifier AS i USING gov.erasure_plan_case AS p
WHERE
    p.plan_id = :plan_id AND i.case_id = p.case_id
    AND NOT EXISTS (SELECT 1 FROM gov.certificate AS k WHERE k.case_id = p.case_id)
