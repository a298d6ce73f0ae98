"""Runs, gate verdicts, approvals, ledger, suppression."""

from alembic import op

revision = "0001_frame"
down_revision = None
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.run (
    run_id text PRIMARY KEY,                -- Airflow's run id, with the DAG's: dag_id/run_id
    dag_id text NOT NULL,
    as_of timestamptz NOT NULL,             -- wall clock taken once, when the run opened
    logical_date timestamptz,               -- what the scheduler called it; never used for ages
    run_type text NOT NULL,                 -- scheduled, manual, backfill, asset_triggered
    dry_run boolean NOT NULL,
    note text NOT NULL DEFAULT '',
    code_version text NOT NULL,
    thresholds_sha256 text NOT NULL,
    map_sha256 text NOT NULL,
    tzdata_version text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'failed')),
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    facts jsonb NOT NULL DEFAULT '{}'       -- counts only
);
CREATE TABLE gov.gate_result (
    gate_result_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    gate text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('pass', 'warn', 'block')),
    subject_sha256 text NOT NULL,           -- of exactly what was judged
    checks jsonb NOT NULL,                  -- scrubbed: ids, severities, counts
    judged_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    report_html text NOT NULL DEFAULT ''
);
CREATE INDEX gate_result_run ON gov.gate_result (run_id, gate, gate_result_id DESC);
CREATE INDEX gate_result_judged ON gov.gate_result (judged_at);
CREATE TABLE gov.approval (
    approval_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL,
    what text NOT NULL,                     -- breaker, first_release, sign_off
    subject_sha256 text NOT NULL,
    approver text NOT NULL,                 -- login of a member of staff
    decision text NOT NULL CHECK (decision IN ('approve', 'reject', 'timeout')),
    decided_at timestamptz NOT NULL,
    UNIQUE (run_id, what, subject_sha256, approver)
);
CREATE TABLE gov.erasure_ledger (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    -- intent, erased, verified, certified, suppressed, restored, note; no line breaks: the hash separates by them
    kind text NOT NULL CHECK (kind ~ '^[a-z][a-z_]*$'),
    case_id uuid,
    payload text NOT NULL CHECK (payload IS JSON OBJECT), -- canonical: references and counts, never a person
    prev_hash text NOT NULL UNIQUE,
    hash text NOT NULL UNIQUE
);
CREATE TABLE gov.ledger_copy (              -- heads that were signed and copied to the locked bucket
    copy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq bigint NOT NULL,
    hash text NOT NULL,
    suppression_sha256 text NOT NULL,       -- of the suppression list that was copied with it
    bucket text NOT NULL,
    object_key text NOT NULL,
    copied_at timestamptz NOT NULL,
    UNIQUE (bucket, object_key)
);
CREATE TABLE gov.suppression_entry (
    suppression_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hmac text NOT NULL,
    id_type text NOT NULL,                  -- email, account, external…
    key_id text NOT NULL,
    reason text NOT NULL CHECK (reason IN ('MINOR', 'DSR', 'OBJECTION')),
    block text NOT NULL CHECK (block IN ('IMPORT_RESTORE', 'MARKETING', 'STATISTICS')),
    valid_until date NOT NULL,
    case_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (hmac, id_type, key_id, block, case_id)
);
CREATE FUNCTION gov.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'gov.% is append-only', TG_TABLE_NAME USING ERRCODE = '42501';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.erasure_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.gate_result
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.approval
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.ledger_copy
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
-- One writer at a time chains rows; the hash covers everything in the row and the hash before it.
CREATE FUNCTION gov.append_to_ledger(entry_at timestamptz, entry_kind text, entry_case uuid, entry_payload text)
RETURNS TABLE (seq bigint, hash text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_seq bigint := 0;
    last_hash text := repeat('0', 64);
    new_hash text;
BEGIN
    PERFORM pg_advisory_xact_lock(20180515, 1);
    SELECT l.seq, l.hash INTO last_seq, last_hash FROM gov.erasure_ledger AS l ORDER BY l.seq DESC LIMIT 1;
    IF NOT FOUND THEN last_seq := 0; last_hash := repeat('0', 64); END IF;
    new_hash := encode(sha256(convert_to(
        last_hash || E'\\n' || (last_seq + 1)::text || E'\\n'
        || to_char(entry_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || E'\\n'
        || entry_kind || E'\\n' || coalesce(entry_case::text, '') || E'\\n' || entry_payload, 'UTF8')), 'hex');
    INSERT INTO gov.erasure_ledger VALUES
        (last_seq + 1, entry_at, entry_kind, entry_case, entry_payload, last_hash, new_hash);
    RETURN QUERY SELECT last_seq + 1, new_hash;
END $$;
REVOKE ALL ON FUNCTION gov.append_to_ledger FROM PUBLIC;
"""

DOWNGRADE = """
DROP FUNCTION gov.append_to_ledger;
DROP TABLE gov.suppression_entry, gov.ledger_copy, gov.erasure_ledger, gov.approval, gov.gate_result, gov.run;
DROP FUNCTION gov.refuse_change;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
