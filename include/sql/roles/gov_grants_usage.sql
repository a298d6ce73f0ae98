-- Purpose: what each duty may do in the tables of the usage export.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.
-- Who may be given what is entered by the owner of gov: the job that releases cannot entitle anybody.

GRANT SELECT ON gov.recipient, gov.agreement, gov.entitlement TO privacy_export, privacy_inventory, privacy_console;

-- Protected masters and the register only grow; a trigger refuses even the owner.
GRANT SELECT, INSERT ON gov.release_master, gov.release_register, gov.release_event, gov.release_base_period,
gov.release_correction, gov.release_correction_run, gov.privacy_draw
TO privacy_export;

GRANT SELECT ON gov.release_register, gov.release_event, gov.release_correction TO privacy_inventory, privacy_console;

GRANT SELECT (period_key, year_key, spec_version, rho, cells_per_person, run_id, drawn_at) ON gov.privacy_draw
TO privacy_console;

-- Enough to leave people with an open case out of the statistics, and no word of why.
GRANT SELECT (subject_kind, subject_table, subject_key, class, state) ON gov.minor_case TO privacy_export;
