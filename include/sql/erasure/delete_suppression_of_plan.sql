-- Purpose: entries that a plan wrote ahead of an erasure that did not happen block nobody.
-- Parameters: plan_id, intent_at. Grain: entry. Idempotency: gone is gone.
DELETE FROM gov.suppression_entry AS s USING gov.erasure_plan_case AS p
WHERE p.plan_id = :plan_id AND s.case_id = p.case_id AND s.created_at = :intent_at
