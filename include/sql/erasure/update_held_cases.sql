-- Purpose: cases under a hold are ON_HOLD; those whose hold ended come back.
-- Parameters: none. Grain: case. Idempotency: sets what is true now.
UPDATE gov.minor_case AS c SET
    state = CASE
        WHEN h.legal_hold OR h.access_request THEN 'ON_HOLD'
        WHEN c.state <> 'ON_HOLD' THEN c.state
        WHEN c.decision = 'CONFIRMED' THEN 'DECIDED'
        WHEN c.restricted_at IS NULL THEN 'OPEN'
        ELSE 'RESTRICTED'
    END
FROM held AS h
WHERE h.case_id = c.case_id
