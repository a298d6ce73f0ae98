-- Purpose: how many rows of a version are whose.
-- Parameters: plan_id, rewrite_no, case_id, rows_found. Grain: version and case. Idempotency: the newest count stands.
INSERT INTO gov.erasure_rewrite_case (plan_id, rewrite_no, case_id, rows_found)
VALUES (:plan_id, :rewrite_no, :case_id, :rows_found)
ON CONFLICT (plan_id, rewrite_no, case_id) DO UPDATE SET rows_found = excluded.rows_found
