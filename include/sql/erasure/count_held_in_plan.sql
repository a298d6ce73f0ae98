-- Purpose: planned cases that are now under a verified person's access request, or a hold that the plan does not heed.
-- Parameters: plan_id. Grain: one row. Idempotency: reads only.
SELECT
    count(*) FILTER (
        WHERE EXISTS (
            SELECT 1 FROM gov.legal_hold AS h
            WHERE h.subject_ref = any(p.subject_refs) AND h.released_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM gov.erasure_hold AS k
                WHERE k.plan_id = p.plan_id AND k.case_id = p.case_id AND k.hold_id = h.hold_id
            )
        )
    ) AS legal_holds,
    count(*) FILTER (
        WHERE EXISTS (
            SELECT 1 FROM gov.dsr_request AS d
            WHERE
                d.subject_ref = any(p.subject_refs) AND d.type = 'ACCESS'
                AND d.identity_verified_at IS NOT NULL AND d.closed_at IS NULL AND d.sealed_at IS NULL
        )
    ) AS access_requests
FROM gov.erasure_plan_case AS p
WHERE p.plan_id = :plan_id
