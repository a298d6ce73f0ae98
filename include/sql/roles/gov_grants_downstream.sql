-- Purpose: what each duty may do in the tables of downstream.
-- Parameters: none.
-- Grain: grants only.
-- Idempotency: the same grants however often it runs.

-- Who is told about whom is written once; what became of it is written on.
GRANT SELECT, INSERT ON gov.downstream_instruction, gov.work_item TO privacy_erase;

GRANT UPDATE (
    kind, state, reason, method, attempts, next_attempt_at, instructed_at, acked_at, ack_found, ack_sha256
) ON gov.downstream_instruction TO privacy_erase;

GRANT UPDATE (nonce, sealed, destroyed_at) ON gov.work_item TO privacy_erase;

GRANT SELECT, INSERT ON gov.downstream_event, gov.certificate_supplement TO privacy_erase;

GRANT SELECT, INSERT, DELETE ON gov.certificate_draft TO privacy_erase;

-- The pages show who was told what when; nobody is named in it.
GRANT SELECT ON gov.downstream_instruction, gov.downstream_event TO privacy_console;
