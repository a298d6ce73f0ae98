"""Return: identifiers kept for later sweeps, import checks, restores."""

from alembic import op

revision = "0009_return"
down_revision = "0008_objects"
branch_labels = None
depends_on = None

UPGRADE = """
-- A case about what came back of an erased one; it is erased on the strength of that one's confirmation.
ALTER TABLE gov.minor_case ADD COLUMN returned_of uuid REFERENCES gov.minor_case;
CREATE INDEX minor_case_returned ON gov.minor_case (returned_of) WHERE returned_of IS NOT NULL;

CREATE TABLE gov.sweep_identifier (         -- keyed references that sealing leaves: what later sweeps look for
    sweep_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL,
    kind text NOT NULL,                     -- subject, row:<table>, email, account:…, external:…, word
    hmac text NOT NULL,                     -- under the key purpose "sweep"
    key_id text NOT NULL,
    until date NOT NULL,                    -- emptied after it, once the last sweep is done
    UNIQUE (case_id, kind, hmac, key_id)
);

CREATE TABLE gov.sweep (                    -- one sweep of one closed case
    case_id uuid NOT NULL,
    after_days integer NOT NULL,            -- 1, 7, 35: counted from the closing of the case
    run_id text NOT NULL,
    swept_at timestamptz NOT NULL,
    found bigint NOT NULL,
    PRIMARY KEY (case_id, after_days)
);

CREATE TABLE gov.return_finding (           -- something of an erased person stands somewhere again
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL,                  -- the case that was erased
    run_id text NOT NULL,
    found_at timestamptz NOT NULL,
    asset text NOT NULL,                    -- table or s3://bucket
    found_by text NOT NULL,                 -- kind of identifier
    verdict text NOT NULL CHECK (verdict IN ('returned', 'new_record', 'mention')),
    rows bigint NOT NULL,
    row_key text[],                         -- only for a mention in somebody else's row; emptied when it is settled
    follow_up uuid,                         -- the case opened about it
    settled_at timestamptz
);
CREATE INDEX return_finding_case ON gov.return_finding (case_id);

CREATE TABLE gov.backup_age_out (           -- from when no backup holds an erased person any more
    case_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL,
    ages_out_on date NOT NULL,              -- at the latest
    aged_out_at timestamptz                 -- when every listed backup was found to be younger than the erasure
);

CREATE TABLE gov.restore (                  -- a restored database, until it may take traffic
    restore_id uuid PRIMARY KEY,
    source text NOT NULL,                   -- the copy it was replayed from
    state text NOT NULL CHECK (state IN ('replaying', 'swept', 'ready')),
    found_at_seq bigint NOT NULL,           -- last ledger entry that the restored database held
    head_seq bigint NOT NULL,               -- last entry of the copy
    started_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    residual bigint,
    ready_at timestamptz
);

-- Entries written ahead of an erasure that did not happen may be taken back; those of the erased stay.
CREATE FUNCTION gov.keep_suppression() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM gov.erasure_ledger AS l WHERE l.case_id = OLD.case_id AND l.kind = 'erased') THEN
        RAISE EXCEPTION 'this entry keeps an erased person from coming back' USING ERRCODE = '42501';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER keep_suppression BEFORE DELETE ON gov.suppression_entry
    FOR EACH ROW EXECUTE FUNCTION gov.keep_suppression();
CREATE INDEX IF NOT EXISTS erasure_ledger_case ON gov.erasure_ledger (case_id);

-- Does any of these keyed references belong to somebody who was erased, in a way that still blocks?
-- No key lies in the database: whoever asks makes the references (see docs/runbooks/erasure_verification.md).
CREATE FUNCTION gov.check_import(hmacs text[], record_created_at timestamptz, today date DEFAULT current_date)
RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN hmacs IS NULL THEN 'review'    -- nobody could make the references: a person looks
        WHEN count(*) = 0 THEN 'accept'
        WHEN bool_or(record_created_at < e.created_at) THEN 'reject'
        WHEN record_created_at IS NULL AND bool_or(today <= e.valid_until) THEN 'reject'
        WHEN record_created_at IS NULL OR bool_or(today <= e.valid_until) THEN 'review'
        ELSE 'accept'
    END
    FROM gov.suppression_entry AS e
    WHERE e.hmac = ANY(hmacs) AND e.block = 'IMPORT_RESTORE'
$$;
CREATE FUNCTION gov.is_suppressed(hmacs text[], record_created_at timestamptz, today date DEFAULT current_date)
RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT gov.check_import(hmacs, record_created_at, today) <> 'accept'
$$;
-- HMAC-SHA-256 (RFC 2104), so that no extension is needed.
CREATE FUNCTION gov.hmac_sha256(key bytea, message text)
RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
BEGIN
    IF length(key) > 64 THEN key := sha256(key); END IF;
    FOR i IN 0..length(key) - 1 LOOP
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    END LOOP;
    RETURN encode(sha256(outer_pad || sha256(inner_pad || convert_to(message, 'UTF8'))), 'hex');
END $$;
-- References of one identifier under every key in the session's privacy_ops.suppression_keys ({"k1": "<hex>"}).
-- NULL, which check_import answers with a review, for what SQL does not write as the project does.
CREATE FUNCTION gov.suppression_references(id_type text, identifier text)
RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keys jsonb := nullif(current_setting('privacy_ops.suppression_keys', true), '')::jsonb;
    canonical text := btrim(normalize(identifier, NFKC), E' \\t\\n\\r\\v\\f');
BEGIN
    IF keys IS NULL OR keys = '{}' THEN
        RAISE EXCEPTION 'the session holds no suppression keys' USING
            HINT = 'SELECT set_config(''privacy_ops.suppression_keys'', $1, true) with a bound parameter';
    END IF;
    IF id_type = 'email' THEN canonical := lower(canonical); END IF;
    IF canonical = '' OR canonical ~ '[^\\x20-\\x7e]' THEN RETURN NULL; END IF;
    RETURN (SELECT array_agg(gov.hmac_sha256(decode(k.value, 'hex'), canonical)) FROM jsonb_each_text(keys) AS k);
END $$;
REVOKE ALL ON FUNCTION gov.check_import, gov.is_suppressed, gov.hmac_sha256, gov.suppression_references FROM PUBLIC;
"""

DOWNGRADE = """
DROP FUNCTION gov.suppression_references, gov.hmac_sha256, gov.is_suppressed, gov.check_import;
DROP TRIGGER keep_suppression ON gov.suppression_entry;
DROP FUNCTION gov.keep_suppression;
DROP INDEX gov.erasure_ledger_case;
DROP TABLE gov.restore, gov.backup_age_out, gov.return_finding, gov.sweep, gov.sweep_identifier;
ALTER TABLE gov.minor_case DROP COLUMN returned_of;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
