-- Purpose: what each duty may do in the tables of the transfer inventory.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.

GRANT SELECT, INSERT ON gov.reference_review TO privacy_inventory;

-- The registry is loaded anew by each run; what it no longer names is marked, never deleted.
GRANT SELECT, INSERT, UPDATE ON gov.processor, gov.transfer_mechanism, gov.transfer TO privacy_inventory;

-- A snapshot is replaced until it is published; its flows and verdicts with it.
GRANT SELECT, INSERT, UPDATE ON gov.inventory_snapshot TO privacy_inventory;

GRANT SELECT, INSERT, DELETE ON gov.inventory_flow, gov.flow_verdict TO privacy_inventory;

GRANT SELECT, INSERT, UPDATE ON gov.finding, gov.blocked_destination TO privacy_inventory;

GRANT SELECT, INSERT ON gov.finding_change TO privacy_inventory;

-- What was declared when, and who waived what until when: only ever added to.
GRANT SELECT, INSERT ON gov.registry_entry, gov.finding_waiver TO privacy_inventory;

-- The other jobs ask the block list before they write anywhere.
GRANT SELECT ON gov.blocked_destination TO privacy_erase, privacy_export;

GRANT SELECT ON gov.processor TO privacy_erase;

-- The pages show inventory, findings and blocks; nobody is named in them.
GRANT SELECT ON gov.inventory_snapshot, gov.inventory_flow, gov.flow_verdict, gov.finding, gov.finding_change,
gov.blocked_destination, gov.reference_review, gov.processor, gov.transfer, gov.transfer_mechanism,
gov.registry_entry, gov.finding_waiver TO privacy_console;
