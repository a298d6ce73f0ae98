-- Purpose: enter one release into the register, which is never changed afterwards.
-- Parameters: every column; files, utility and entitlement as JSON text, approvers and columns as text arrays.
-- Grain: one row.
-- Idempotency: release_id follows from product, recipient, period, spec version and revision; a second insert is an
-- error.
INSERT INTO gov.release_register
(
    release_id, product, recipient_id, iso_week, period_key, window_start, window_end, spec_version, as_of,
    released_at, run_id, code_version, thresholds_sha256, map_sha256, object_prefix, files, pack_sha256, n_rows,
    n_withheld, utility, entitlement, gate_result_id, approvers, revision, supersedes, columns
)
VALUES
(
    :release_id, :product, :recipient_id, :iso_week, :period_key, :window_start, :window_end, :spec_version, :as_of,
    :released_at, :run_id, :code_version, :thresholds_sha256, :map_sha256, :object_prefix,
    CAST(:files AS jsonb), :pack_sha256, :n_rows, :n_withheld, CAST(:utility AS jsonb),
    CAST(:entitlement AS jsonb), :gate_result_id, CAST(:approvers AS text[]),
    :revision, :supersedes, CAST(:columns AS text[])
)
