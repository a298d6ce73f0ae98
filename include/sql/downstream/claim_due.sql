-- Purpose: take due instructions of one party for one attempt. Nobody else takes them meanwhile, and a kill leaves them
-- due again after a while.
-- A party that was blocked meanwhile, or a block list that is not fresh, gives nothing.
-- Parameters: party, destination, fresh_after, at, size, kind, method, first_minutes, longest_minutes.
-- Grain: instruction.
-- Idempotency: what was taken is not due any more.
WITH due AS (
    SELECT i.instruction_id
    FROM gov.downstream_instruction AS i
    INNER JOIN gov.erasure_plan AS p ON i.plan_id = p.plan_id
    WHERE
        i.party = :party
        AND i.next_attempt_at <= :at
        AND i.state IN ('pending', 'sent', 'chased', 'escalated', 'undeliverable')
        AND p.state IN ('database_erased', 'objects_erased', 'verified', 'certified')
        AND i.reason <> 'ONLY_SHARED'
        AND EXISTS (SELECT 1 FROM gov.block_list_renewal AS r WHERE r.renewed_at >= :fresh_after)
        AND NOT EXISTS (
            SELECT 1 FROM gov.blocked_destination AS b
            WHERE b.destination = :destination AND b.lifted_at IS NULL
        )
    ORDER BY i.created_at, i.instruction_id
    LIMIT :size
    FOR UPDATE OF i SKIP LOCKED
),

taken AS (
    UPDATE gov.downstream_instruction AS i SET
        attempts = i.attempts + 1,
        kind = coalesce(cast(:kind AS text), i.kind),
        method = coalesce(cast(:method AS text), i.method),
        next_attempt_at = cast(:at AS timestamptz) + make_interval(
            mins => least(:first_minutes * 2 ^ least(i.attempts, 10), :longest_minutes)::integer -- noqa: PRS
        )
    FROM due
    WHERE i.instruction_id = due.instruction_id
    RETURNING i.*
)

SELECT
    t.instruction_id,
    t.case_id,
    t.party,
    t.state,
    t.attempts,
    t.instructed_at,
    w.key_id,
    w.nonce,
    w.sealed,
    (
        SELECT count(*) FROM gov.downstream_event AS e
        WHERE e.instruction_id = t.instruction_id AND e.event IN ('chased', 'escalated') AND t.instructed_at IS NOT NULL
    ) AS reminders
FROM taken AS t
LEFT JOIN gov.work_item AS w ON t.instruction_id = w.instruction_id
ORDER BY t.created_at, t.instruction_id
