"""Minors: sources, cases, holds, access requests, erasure plans, certificates.

Keys of people stand here only while a case is open: sealing a closed case empties them.
"""

from alembic import op

revision = "0002_minors"
down_revision = "0001_frame"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.source_observation (       -- one source of age evidence as one run saw it; numbers only
    run_id text NOT NULL,
    source text NOT NULL,                   -- schema.table.column
    observed_at timestamptz NOT NULL,
    dry_run boolean NOT NULL,
    rows bigint NOT NULL,
    nulls bigint NOT NULL,
    parsed bigint NOT NULL,
    placeholders bigint NOT NULL,
    peak_default_rows bigint NOT NULL,      -- rows of the most frequent date that may be a form's default
    daily_median double precision,
    over_represented date[] NOT NULL DEFAULT '{}',
    newest_row_at timestamptz,
    verdict text NOT NULL DEFAULT 'pass' CHECK (verdict IN ('pass', 'warn', 'block')),
    PRIMARY KEY (run_id, source)
);
CREATE INDEX source_observation_history ON gov.source_observation (source, observed_at);

CREATE TABLE gov.minor_case (
    case_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    subject_kind text NOT NULL CHECK (subject_kind IN ('person', 'row')),
    subject_table text NOT NULL,
    subject_key text[],                     -- emptied when the case is sealed
    subject_ref text NOT NULL,              -- keyed reference; outlives the person's data
    ref_key_id text NOT NULL,
    class text NOT NULL,
    state text NOT NULL CHECK (state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD', 'PRIMARY_ERASED',
        'VERIFYING', 'CLOSED', 'CLEARED', 'ERRORED', 'REOPENED')),
    flags text[] NOT NULL DEFAULT '{}',
    evidence_hash text,                     -- keyed: what the class stands on; emptied when sealed
    feed text NOT NULL DEFAULT '',          -- the import that most of the evidence came through
    discovered_at timestamptz NOT NULL,     -- the age is judged at this instant, for ever
    evidence_at timestamptz,                -- when the evidence first stood in the source
    adult_on date,                          -- last day by which the subject turns 18; emptied when sealed
    opened_by_run text NOT NULL,
    judged_by_run text NOT NULL,
    restricted_at timestamptz,
    restriction_previous text,              -- what the restriction column held before
    decided_by text,                        -- role of the reviewer, never a name
    closed_at timestamptz
);
CREATE UNIQUE INDEX minor_case_open ON gov.minor_case (subject_table, subject_key)
    WHERE state NOT IN ('CLOSED', 'CLEARED');
CREATE INDEX minor_case_ref ON gov.minor_case (subject_ref);
CREATE INDEX minor_case_discovered ON gov.minor_case (discovered_at);

CREATE TABLE gov.minor_signal (             -- emptied when the case is sealed
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    source_table text NOT NULL,
    source_column text NOT NULL,
    row_key text[] NOT NULL,
    signal text NOT NULL,
    usable boolean NOT NULL,
    flags text[] NOT NULL DEFAULT '{}',
    value_hash text NOT NULL,               -- SHA-256 of case id and value: shows a change, not the value
    PRIMARY KEY (case_id, source_table, source_column, row_key)
);

CREATE TABLE gov.canary (                   -- made-up people that must be found and erased
    subject_ref text PRIMARY KEY,
    ref_key_id text NOT NULL,
    planted_at timestamptz NOT NULL,
    expect text NOT NULL DEFAULT 'CONFIRMED_MINOR'
);

CREATE TABLE gov.legal_hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_ref text NOT NULL,
    ref_key_id text NOT NULL,
    basis text NOT NULL,                    -- a code: LEGAL_CLAIM, SAFEGUARDING, …
    approver text NOT NULL,
    placed_at timestamptz NOT NULL,
    review_on date NOT NULL,
    released_at timestamptz
);
CREATE INDEX legal_hold_ref ON gov.legal_hold (subject_ref);

CREATE TABLE gov.dsr_request (
    request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    type text NOT NULL DEFAULT 'ACCESS',
    subject_ref text NOT NULL,
    ref_key_id text NOT NULL,
    received_at timestamptz NOT NULL,
    identity_verified_at timestamptz,       -- an unverified request delays no erasure
    closed_at timestamptz
);
CREATE INDEX dsr_request_ref ON gov.dsr_request (subject_ref);

CREATE TABLE gov.erasure_plan (
    plan_id uuid PRIMARY KEY,
    run_id text NOT NULL,
    frozen_at timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'frozen', 'void', 'database_erased', 'objects_erased',
        'verified', 'certified')),
    sha256 text,                            -- over cases, steps, rows and objects
    cases integer NOT NULL DEFAULT 0,
    held integer NOT NULL DEFAULT 0,
    breaker_tripped boolean NOT NULL DEFAULT false,
    breaker jsonb NOT NULL DEFAULT '{}',
    intent_at timestamptz,                  -- when intent and suppression were written
    control jsonb NOT NULL DEFAULT '{}',    -- a control group of others, counted and hashed before and after
    database_erased_at timestamptz,
    objects_erased_at timestamptz,
    verified_at timestamptz
);
CREATE UNIQUE INDEX erasure_plan_run ON gov.erasure_plan (run_id) WHERE state <> 'void';

CREATE TABLE gov.erasure_plan_case (
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    subject_refs text[] NOT NULL,           -- under every key still held: holds may be older than the current key
    PRIMARY KEY (plan_id, case_id)
);

CREATE TABLE gov.erasure_step (
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    step_no integer NOT NULL,               -- in the order of execution
    table_name text NOT NULL,
    action text NOT NULL CHECK (action IN ('DELETE', 'EMPTY', 'UNLINK', 'KEEP')),
    columns text[] NOT NULL DEFAULT '{}',   -- emptied by EMPTY and UNLINK
    key_columns text[] NOT NULL,
    why text NOT NULL DEFAULT '',
    planned bigint NOT NULL DEFAULT 0,
    found bigint,
    deleted bigint,
    retained bigint,
    rows_before bigint,
    rows_after bigint,
    PRIMARY KEY (plan_id, step_no)
);

CREATE TABLE gov.erasure_row (              -- emptied when the plan is sealed
    plan_id uuid NOT NULL,
    step_no integer NOT NULL,
    row_key text[] NOT NULL,
    case_id uuid NOT NULL,
    PRIMARY KEY (plan_id, step_no, row_key)
);

CREATE TABLE gov.erasure_object (           -- emptied when the plan is sealed
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    object_no bigint GENERATED ALWAYS AS IDENTITY,
    case_id uuid NOT NULL,
    store text NOT NULL,                    -- key in the data map
    bucket text NOT NULL,
    object_key text NOT NULL,
    is_prefix boolean NOT NULL,             -- everything below the key; false: this very key
    versions bigint,
    markers bigint,
    uploads bigint,
    erased_at timestamptz,
    PRIMARY KEY (plan_id, bucket, object_key)
);

CREATE TABLE gov.erasure_key (              -- what the residual sweep looks for; emptied when the plan is sealed
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL,
    kind text NOT NULL,                     -- subject, account, email, external, …
    value text NOT NULL,
    PRIMARY KEY (plan_id, kind, value)
);

CREATE TABLE gov.erasure_asset (            -- what one case left in one asset: the numbers of its certificate
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL,
    asset text NOT NULL,                    -- table or bucket
    method text NOT NULL,
    planned bigint NOT NULL,
    done bigint NOT NULL,
    PRIMARY KEY (plan_id, case_id, asset, method)
);

CREATE TABLE gov.erasure_residual (         -- what the sweep counted, asset by asset
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    asset text NOT NULL,
    looked_at timestamptz NOT NULL,
    found bigint NOT NULL,
    PRIMARY KEY (plan_id, asset, looked_at)
);

CREATE TABLE gov.certificate (
    case_id uuid PRIMARY KEY REFERENCES gov.minor_case,
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    bucket text NOT NULL,
    object_key text NOT NULL,
    sha256 text NOT NULL,
    issued_at timestamptz NOT NULL
);
"""

DOWNGRADE = """
DROP TABLE gov.certificate, gov.erasure_residual, gov.erasure_asset, gov.erasure_key, gov.erasure_object,
    gov.erasure_row, gov.erasure_step, gov.erasure_plan_case, gov.erasure_plan, gov.dsr_request, gov.legal_hold,
    gov.canary, gov.minor_signal, gov.minor_case, gov.source_observation;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
