-- Purpose: day of the last review of these reference tables up to an instant.
-- Parameters: :sha256, :as_of.
-- Grain: one row, NULL when nobody reviewed them.
-- Idempotency: read only.
SELECT max(reviewed_at) AS reviewed_at
FROM gov.reference_review
WHERE reference_sha256 = :sha256 AND reviewed_at <= :as_of
