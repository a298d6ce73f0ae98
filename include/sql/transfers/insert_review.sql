-- Purpose: a named person has reviewed exactly these reference tables.
-- Parameters: :reviewed_at, :reviewer, :sha256 (of the reference files).
-- Grain: one review.
-- Idempotency: the same review twice is one row.
INSERT INTO gov.reference_review (reviewed_at, reviewer, reference_sha256)
VALUES (:reviewed_at, :reviewer, :sha256)
ON CONFLICT (reviewed_at, reviewer, reference_sha256) DO NOTHING
