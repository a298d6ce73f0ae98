"""Usage export: recipients, what they are entitled to, protected masters, register of releases."""

from alembic import op

revision = "0003_usage"
down_revision = "0002_minors"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.recipient (
    recipient_id text PRIMARY KEY CHECK (recipient_id ~ '^[a-z][a-z0-9-]{1,40}$'),
    kind text NOT NULL CHECK (kind IN ('author', 'supporter')),
    legal_name text NOT NULL,
    country text NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'ended'))
);
CREATE TABLE gov.agreement (
    agreement_id text PRIMARY KEY,
    recipient_id text NOT NULL REFERENCES gov.recipient,
    clauses text[] NOT NULL,                -- what the recipient promised
    valid_from date NOT NULL,
    valid_to date NOT NULL CHECK (valid_to >= valid_from)
);
CREATE INDEX agreement_recipient ON gov.agreement (recipient_id);
CREATE TABLE gov.entitlement (
    entitlement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recipient_id text NOT NULL REFERENCES gov.recipient,
    course_id text NOT NULL,
    module_scope text[] NOT NULL DEFAULT '{}',  -- empty: every module of the course
    product text NOT NULL CHECK (product IN ('EXP-AUTHOR', 'EXP-SUPPORTER')),
    agreement_id text NOT NULL REFERENCES gov.agreement,
    valid_from date NOT NULL,
    valid_to date NOT NULL CHECK (valid_to >= valid_from),
    sdc_profile text NOT NULL DEFAULT 'k10',
    UNIQUE (recipient_id, product, course_id, agreement_id, valid_from)
);
CREATE INDEX entitlement_agreement ON gov.entitlement (agreement_id);
CREATE TABLE gov.release_master (           -- protected cells only: rounded, banded or withheld
    course_id text NOT NULL,
    iso_week text NOT NULL CHECK (iso_week ~ '^[0-9]{4}-W[0-9]{2}$'),
    spec_version text NOT NULL,
    lifetime_reached boolean NOT NULL,      -- latched: later weeks stay open though people leave
    cells jsonb NOT NULL,
    sha256 text NOT NULL,
    run_id text NOT NULL,
    protected_at timestamptz NOT NULL,
    PRIMARY KEY (course_id, iso_week, spec_version)
);
CREATE TABLE gov.release_register (
    release_id text PRIMARY KEY,            -- follows from product, recipient, week and spec version
    product text NOT NULL,
    recipient_id text NOT NULL REFERENCES gov.recipient,
    iso_week text NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    spec_version text NOT NULL,
    as_of timestamptz NOT NULL,
    released_at timestamptz NOT NULL,
    run_id text NOT NULL,
    code_version text NOT NULL,
    thresholds_sha256 text NOT NULL,
    map_sha256 text NOT NULL,
    object_prefix text NOT NULL,
    files jsonb NOT NULL,                   -- name, sha256, bytes, object version
    pack_sha256 text NOT NULL,
    n_rows integer NOT NULL,
    n_withheld integer NOT NULL,
    entitlement jsonb NOT NULL,             -- as it stood when released
    gate_result_id bigint NOT NULL,
    approvers text[] NOT NULL,              -- of a product's first release
    UNIQUE (product, recipient_id, iso_week, spec_version)
);
CREATE INDEX release_register_week ON gov.release_register (iso_week);
CREATE INDEX release_register_recipient ON gov.release_register (recipient_id);
CREATE TABLE gov.release_event (            -- what happened to a release afterwards
    release_event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release_id text NOT NULL REFERENCES gov.release_register,
    kind text NOT NULL CHECK (kind IN ('published', 'adopted', 'served', 'withdrawn')),
    run_id text NOT NULL,
    at timestamptz NOT NULL,
    reason text NOT NULL DEFAULT ''
);
CREATE INDEX release_event_release ON gov.release_event (release_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_master
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_register
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_event
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
"""

DOWNGRADE = """
DROP TABLE gov.release_event, gov.release_register, gov.release_master;
DROP TABLE gov.entitlement, gov.agreement, gov.recipient;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
