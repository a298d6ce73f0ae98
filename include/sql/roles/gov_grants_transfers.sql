-- Purpose: what each duty may do in the tables of the transfer inventory.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.

GRANT SELECT, INSERT ON gov.reference_review TO privacy_inventory;

-- The registry is loaded anew by each run; what it no longer names is marked, never deleted.
GRANT SELECT, INSERT ON gov.processor, gov.transfer_mechanism, gov.transfer TO privacy_inventory;

GRANT UPDATE (
    name, established, relationship, role, subject_to, dpf, registry_sha256, withdrawn
) ON gov.processor TO privacy_inventory;

GRANT UPDATE (
    code, parties, signed_on, ends_on, modules, beneath, assessment, registry_sha256, withdrawn
) ON gov.transfer_mechanism TO privacy_inventory;

GRANT UPDATE (
    importer, exporter_role, purposes, mechanisms, flows, special_category, children, owner, review_on,
    registry_sha256, withdrawn
) ON gov.transfer TO privacy_inventory;

-- A snapshot is replaced until it is published, its flows and verdicts with it; triggers keep it from then on. Whose
-- run it is and when that looked is never changed.
GRANT SELECT, INSERT ON gov.inventory_snapshot TO privacy_inventory;

GRANT UPDATE (
    basis, judged_on, known_on, reference_version, reference_sha256, reference_reviewed_on, registry_sha256, map_sha256,
    observers, geoip, source_snapshot_id, declared_at, findings, inventory_sha256, findings_sha256, outputs_sha256,
    compared_with, secrets_in_outputs, findings_published_at, published_at, object_prefix
) ON gov.inventory_snapshot TO privacy_inventory;

GRANT SELECT, INSERT, DELETE ON gov.inventory_flow, gov.flow_verdict TO privacy_inventory;

-- What a finding is about and since when it is known stays.
GRANT SELECT, INSERT ON gov.finding, gov.blocked_destination TO privacy_inventory;

GRANT UPDATE (
    severity, title, what_to_do, owner, observers, status, last_seen, due_on, closed_at, last_run_id
) ON gov.finding TO privacy_inventory;

GRANT UPDATE (reason, blocked_at, lifted_at) ON gov.blocked_destination TO privacy_inventory;

GRANT SELECT, INSERT ON gov.finding_change TO privacy_inventory;

-- Outputs and differences are written anew until they are published; a trigger keeps them from then on.
GRANT SELECT, INSERT, DELETE ON gov.inventory_output, gov.inventory_change TO privacy_inventory;

GRANT UPDATE (object_key) ON gov.inventory_output TO privacy_inventory;

GRANT SELECT, INSERT ON gov.inventory_sign_off TO privacy_inventory;

-- Loaded by people or by the publisher's own shipping of logs; old accesses are deleted by the inventory.
GRANT SELECT, INSERT, DELETE ON gov.access_log TO privacy_inventory;

GRANT SELECT, INSERT ON gov.staff TO privacy_inventory;

GRANT UPDATE (engagement, employer, home_country, ended_on) ON gov.staff TO privacy_inventory;

GRANT SELECT, INSERT ON gov.subprocessor_listing TO privacy_inventory;

GRANT SELECT, INSERT, DELETE ON gov.access_by_country TO privacy_inventory;

-- What the other jobs sent, and to whom: no person stands in these columns.
GRANT SELECT (recipient_id, legal_name, country) ON gov.recipient TO privacy_inventory;

GRANT SELECT (recipient_id, agreement_id, valid_from, valid_to) ON gov.agreement TO privacy_inventory;

GRANT SELECT (release_id, recipient_id) ON gov.release_register TO privacy_inventory;

GRANT SELECT (release_id, kind) ON gov.release_delivery TO privacy_inventory;

GRANT SELECT (party, instructed_at) ON gov.downstream_instruction TO privacy_inventory;

GRANT SELECT, INSERT ON gov.block_list_renewal TO privacy_inventory;

-- What was declared when, and who waived what until when: only ever added to.
GRANT SELECT, INSERT ON gov.registry_entry, gov.finding_waiver TO privacy_inventory;


-- The other jobs ask the block list before they write anywhere.
GRANT SELECT ON gov.blocked_destination, gov.block_list_renewal TO privacy_erase, privacy_export;

GRANT SELECT ON gov.processor TO privacy_erase;

-- The pages show inventory, findings and blocks; nobody is named in them.
GRANT SELECT ON gov.inventory_snapshot, gov.inventory_flow, gov.flow_verdict, gov.finding, gov.finding_change,
gov.blocked_destination, gov.block_list_renewal, gov.reference_review, gov.access_by_country, gov.processor,
gov.transfer, gov.transfer_mechanism, gov.registry_entry, gov.finding_waiver, gov.inventory_output,
gov.inventory_change, gov.inventory_sign_off TO privacy_console;
