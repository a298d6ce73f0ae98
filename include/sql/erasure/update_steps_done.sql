-- Purpose: what each step found and did.
-- Parameters: plan_id, steps, found (arrays of equal length). Grain: step.
-- Idempotency: written in the transaction that does it.
UPDATE gov.erasure_step AS s SET
    found = d.found,
    deleted = CASE WHEN s.action = 'DELETE' THEN d.found ELSE 0 END,
    retained = CASE WHEN s.action = 'DELETE' THEN 0 ELSE d.found END
FROM unnest(cast(:steps AS int[]), cast(:found AS bigint[])) AS d (step_no, found)
WHERE s.plan_id = :plan_id AND s.step_no = d.step_no
