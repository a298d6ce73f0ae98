-- Purpose: a case that the ledger says was erased and that a restored database does not know, sealed.
-- Parameters: case_id, subject_kind, subject_table, subject_ref, ref_key_id, class, discovered_at, closed_at, run_id.
-- Grain: case. Idempotency: a known case is left alone.
INSERT INTO gov.minor_case (
    case_id, subject_kind, subject_table, subject_ref, ref_key_id, class, state, discovered_at, opened_by_run,
    judged_by_run, closed_at
)
VALUES (
    :case_id, :subject_kind, :subject_table, :subject_ref, :ref_key_id, :class, 'CLOSED', :discovered_at, :run_id,
    :run_id, :closed_at
)
ON CONFLICT (case_id) DO NOTHING
