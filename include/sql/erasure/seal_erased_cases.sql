-- Purpose: cases that a restored database thinks are open, and that the ledger says were erased, are sealed again.
-- Parameters: at. Grain: case. Idempotency: sealed stays sealed.
-- A case whose rows were gone in the backup already, and that was not certified, is left to the engine to finish.
UPDATE gov.minor_case AS c SET
    state = 'CLOSED',
    closed_at = coalesce(c.closed_at, :at),
    subject_key = NULL,
    evidence_hash = NULL,
    adult_on = NULL,
    restriction_previous = NULL,
    flags = '{}'
WHERE
    c.state NOT IN ('CLOSED', 'REOPENED', 'CLEARED')
    AND EXISTS (
        SELECT 1 FROM gov.erasure_ledger AS l
        WHERE
            l.case_id = c.case_id
            AND (
                l.kind = 'certified'
                OR (
                    l.kind = 'erased'
                    AND c.state NOT IN ('PRIMARY_ERASED', 'PROPAGATING', 'VERIFYING', 'PARTIAL_RETAINED')
                )
            )
    )
