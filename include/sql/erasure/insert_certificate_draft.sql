-- Purpose: the bytes of a certificate before they are in the bucket, so that a killed task writes the same again.
-- Parameters: plan_id, case_id, document, page. Grain: case. Idempotency: the first bytes stay.
INSERT INTO gov.certificate_draft (plan_id, case_id, document, page)
VALUES (:plan_id, :case_id, :document, :page)
ON CONFLICT (plan_id, case_id) DO NOTHING
