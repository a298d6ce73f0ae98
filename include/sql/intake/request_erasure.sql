-- Purpose: claim the cases that may be erased and that no erasure run has looked at, made-up people left out: they
-- are the night's own proof.
-- Parameters: run_id, now, dag_id (of the erasure). Grain: case; returns how many.
-- Idempotency: a retry of the same run claims the same again; another run claims none of them.
UPDATE gov.minor_case AS c SET erasure_requested_by = :run_id
FROM gov.erasable_case AS e
WHERE
    e.case_id = c.case_id AND c.state <> 'ON_HOLD'
    AND (c.erase_after IS NULL OR c.erase_after <= :now)
    AND (c.erasure_requested_by IS NULL OR c.erasure_requested_by = :run_id)
    AND NOT EXISTS (SELECT 1 FROM gov.canary AS k WHERE k.subject_ref = c.subject_ref)
    AND NOT EXISTS (
        SELECT 1 FROM gov.run AS r
        WHERE
            r.dag_id = :dag_id AND NOT r.dry_run AND r.run_type <> 'backfill'
            AND r.as_of >= GREATEST(c.discovered_at, c.decided_at, c.erase_after)
    )
