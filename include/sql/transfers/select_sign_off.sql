-- Purpose: the newest approval of exactly this inventory since an instant.
-- Parameters: :sha256, :since.
-- Grain: one row or none.
-- Idempotency: read only.
SELECT
    approver,
    decided_at
FROM gov.approval
WHERE what = 'sign_off' AND subject_sha256 = :sha256 AND decision = 'approve' AND decided_at >= :since
ORDER BY decided_at DESC
LIMIT 1
