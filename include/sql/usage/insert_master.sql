-- Purpose: keep the protected cells of a course and period, once and for ever.
-- Parameters: course_id, period_key, ends_at, spec_version, revision, lifetime_reached, cells (JSON text), sha256,
-- run_id, protected_at.
-- Grain: one row.
-- Idempotency: a second insert of the same course, period, spec version and revision is an error.
INSERT INTO gov.release_master
(course_id, period_key, ends_at, spec_version, revision, lifetime_reached, cells, sha256, run_id, protected_at)
VALUES
(
    :course_id, :period_key, :ends_at, :spec_version, :revision, :lifetime_reached, CAST(:cells AS jsonb),
    :sha256, :run_id, :protected_at
)
