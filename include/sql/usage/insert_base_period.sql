-- Purpose: decide the base period of a course in a quarter, once.
-- Parameters: course_id, quarter, base, spec_version, run_id, decided_at.
-- Grain: at most one row.
-- Idempotency: what stands stays; of two runs at once the second waits and does nothing.
INSERT INTO gov.release_base_period (course_id, quarter, base, spec_version, run_id, decided_at)
VALUES (:course_id, :quarter, :base, :spec_version, :run_id, :decided_at)
ON CONFLICT (course_id, quarter) DO NOTHING
