-- Purpose: the newest approval of exactly this inventory since an instant, by somebody entitled to it.
-- Parameters: :sha256, :since, :leads (ids of who may sign off; none named: whoever Airflow let answer).
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    approver,
    approver_name,
    decided_at
FROM gov.approval
WHERE
    what = 'sign_off' AND subject_sha256 = :sha256 AND decision = 'approve' AND decided_at >= :since
    AND (cardinality(cast(:leads AS text[])) = 0 OR approver = any(cast(:leads AS text[])))
ORDER BY decided_at DESC
LIMIT 1
