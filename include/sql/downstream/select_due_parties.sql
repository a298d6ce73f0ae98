-- Purpose: who has something due, about plans whose rows are erased.
-- Parameters: at. Grain: party. Idempotency: reads only.
SELECT
    i.party,
    count(*) AS due
FROM gov.downstream_instruction AS i
INNER JOIN gov.erasure_plan AS p ON i.plan_id = p.plan_id
WHERE
    i.next_attempt_at <= :at
    AND i.state IN ('pending', 'sent', 'chased', 'escalated', 'undeliverable')
    AND p.state IN ('database_erased', 'objects_erased', 'verified', 'certified')
    AND i.reason <> 'ONLY_SHARED'
GROUP BY i.party
ORDER BY min(i.created_at), i.party
