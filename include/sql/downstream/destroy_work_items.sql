-- Purpose: empty items that nobody needs any more: acknowledged, withdrawn, or past their time.
-- Parameters: at. Grain: item. Idempotency: destroyed stays destroyed.
UPDATE gov.work_item AS w SET
    sealed = NULL,
    nonce = NULL,
    destroyed_at = :at
FROM gov.downstream_instruction AS i
WHERE
    i.instruction_id = w.instruction_id
    AND w.sealed IS NOT NULL
    AND (w.expires_at <= :at OR i.state IN ('acknowledged', 'withdrawn'))
