-- Purpose: what each duty may do in the tables of gov that every process shares.
-- Parameters: none.
-- Grain: grants only; everything that was granted on gov before is revoked in the same transaction.
-- Idempotency: the same grants however often it runs.
-- Nobody is granted UPDATE or DELETE on a table that only grows; a trigger refuses even the owner.

GRANT USAGE ON SCHEMA gov TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary, privacy_console;

GRANT SELECT ON gov.schema_version TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary, privacy_console;

-- A job opens and closes its run, and its gates write verdicts that its later steps read again.
GRANT SELECT, INSERT ON gov.run TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary;

GRANT UPDATE (state, closed_at, facts) ON gov.run TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary;

-- Triggers ask whose runs the role may write: one duty does not open, close, judge or approve another's run.
GRANT SELECT ON gov.run_writer TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary, privacy_review, privacy_operate;

GRANT EXECUTE ON FUNCTION gov.writes_runs_of(text) TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary, privacy_review, privacy_operate;

GRANT SELECT, INSERT ON gov.gate_result TO
privacy_detect, privacy_erase, privacy_export, privacy_inventory, privacy_canary;

-- Approvals: the breaker (erase), a first release (export), the sign-off of an inventory.
GRANT SELECT, INSERT ON gov.approval TO
privacy_erase, privacy_export, privacy_inventory;

-- The ledger grows through one function only, which chains the hash; only erasure writes it.
GRANT SELECT ON gov.erasure_ledger TO privacy_erase;

GRANT EXECUTE ON FUNCTION gov.append_to_ledger TO privacy_erase;

GRANT SELECT, INSERT ON gov.ledger_copy TO privacy_erase;

GRANT SELECT, INSERT ON gov.suppression_entry TO privacy_erase;

-- Detection asks the list whether an address may come back.
GRANT SELECT ON gov.suppression_entry TO privacy_detect;

-- The pages read runs, verdicts and decisions, and nothing about anybody's erasure.
GRANT SELECT ON gov.run, gov.gate_result, gov.approval TO privacy_console;
