-- Purpose: write down who looks at the evidence of a case, before it is shown.
-- Parameters: case_id, person_id, person_name, at. Grain: view. Idempotency: appends one row each time.
INSERT INTO gov.evidence_view (case_id, person_id, person_name, cells, viewed_at)
SELECT
    :case_id,
    :person_id,
    :person_name,
    (SELECT count(*) FROM gov.minor_signal WHERE case_id = :case_id),
    :at
FROM gov.minor_case
WHERE case_id = :case_id
