-- Purpose: keep the protected cells of a course and period, once and for ever.
-- Parameters: course_id, period_key, ends_at, spec_version, lifetime_reached, cells (JSON text), sha256, run_id,
-- protected_at.
-- Grain: one row.
-- Idempotency: the caller holds the export's lock and inserts only what is not there.
INSERT INTO gov.release_master
(course_id, period_key, ends_at, spec_version, lifetime_reached, cells, sha256, run_id, protected_at)
VALUES
(
    :course_id, :period_key, :ends_at, :spec_version, :lifetime_reached, CAST(:cells AS jsonb),
    :sha256, :run_id, :protected_at
)
