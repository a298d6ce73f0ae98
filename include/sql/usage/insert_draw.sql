-- Purpose: keep a draw of noisy counts, once and for ever, and what it costs each person of the year.
-- Parameters: period_key, year_key, spec_version, rho, cells_per_person, scale, cells (JSON text), sha256, run_id,
-- drawn_at.
-- Grain: one row.
-- Idempotency: the caller holds the export's lock of the year and inserts only what is not there.
INSERT INTO gov.privacy_draw
(period_key, year_key, spec_version, rho, cells_per_person, scale, cells, sha256, run_id, drawn_at)
VALUES
(
    :period_key, :year_key, :spec_version, :rho, :cells_per_person, :scale, CAST(:cells AS jsonb), :sha256,
    :run_id, :drawn_at
)
