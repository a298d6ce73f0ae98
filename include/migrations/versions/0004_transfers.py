"""Transfers: what is declared, the inventory of each run with its verdicts, findings, blocked destinations."""

from alembic import op

revision = "0004_transfers"
down_revision = "0003_usage"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.reference_review (         -- a named person looked at exactly these reference tables
    reference_review_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reviewed_at timestamptz NOT NULL,
    reviewer text NOT NULL CHECK (reviewer <> ''),
    reference_sha256 text NOT NULL,
    UNIQUE (reviewed_at, reviewer, reference_sha256)
);
CREATE TABLE gov.processor (
    processor_id text PRIMARY KEY,
    name text NOT NULL,
    established text NOT NULL,
    relationship text NOT NULL,
    role text NOT NULL,
    subject_to jsonb NOT NULL,
    dpf jsonb,                              -- the Data Privacy Framework list as last looked up
    registry_sha256 text NOT NULL,
    withdrawn boolean NOT NULL DEFAULT false
);
CREATE TABLE gov.transfer_mechanism (
    mechanism_id text PRIMARY KEY,
    code text NOT NULL,
    parties text[] NOT NULL,
    signed_on date,
    ends_on date,
    modules int[] NOT NULL,
    beneath text,
    assessment jsonb,
    registry_sha256 text NOT NULL,
    withdrawn boolean NOT NULL DEFAULT false
);
CREATE TABLE gov.transfer (
    transfer_id text PRIMARY KEY,
    importer text NOT NULL,
    exporter_role text NOT NULL,
    purposes text[] NOT NULL,
    mechanisms text[] NOT NULL,
    flows jsonb NOT NULL,                   -- country, nature, places
    special_category boolean NOT NULL,
    children boolean NOT NULL,
    owner text NOT NULL,
    review_on date,
    registry_sha256 text NOT NULL,
    withdrawn boolean NOT NULL DEFAULT false
);
CREATE TABLE gov.inventory_snapshot (
    snapshot_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id text NOT NULL UNIQUE,
    basis text NOT NULL CHECK (basis IN ('observed', 'declared_now')),  -- declared_now: re-judged, looks at nothing
    taken_at timestamptz NOT NULL,          -- the run's as-of
    judged_on date NOT NULL,                -- law of this day
    known_on date NOT NULL,                 -- knowledge of this day
    reference_version text NOT NULL,
    reference_sha256 text NOT NULL,
    reference_reviewed_on date NOT NULL,
    registry_sha256 text NOT NULL,
    map_sha256 text NOT NULL,
    observers jsonb NOT NULL,               -- observer, looked, reason, number of flows
    findings jsonb,                         -- frozen when judged
    inventory_sha256 text,                  -- of inventory.csv; the same facts give the same hash on another day
    findings_sha256 text,
    findings_published_at timestamptz,
    published_at timestamptz,
    object_prefix text
);
CREATE INDEX inventory_snapshot_taken ON gov.inventory_snapshot (taken_at);
CREATE TABLE gov.inventory_flow (
    snapshot_id bigint NOT NULL REFERENCES gov.inventory_snapshot,
    flow_key text NOT NULL,
    place text NOT NULL,
    nature text NOT NULL,
    country text,                           -- NULL: nobody could tell
    importer text NOT NULL,
    transfer_id text,                       -- NULL: undeclared
    personal boolean NOT NULL,
    special_category boolean NOT NULL,
    seen_by text[] NOT NULL,
    detail text NOT NULL,                   -- region or host
    destination text NOT NULL,              -- what a block would name
    facts jsonb NOT NULL,                   -- everything that the judgement read
    PRIMARY KEY (snapshot_id, flow_key)
);
CREATE TABLE gov.flow_verdict (
    snapshot_id bigint NOT NULL,
    flow_key text NOT NULL,
    regime text NOT NULL CHECK (regime IN ('UK', 'EU')),
    verdict text NOT NULL CHECK (verdict IN ('NOT_A_TRANSFER', 'COVERED', 'COVERED_EXPIRING', 'COVERED_CHALLENGED',
        'UNRESOLVED', 'SCOPE_MISMATCH', 'UNCOVERED')),
    instrument text NOT NULL,               -- adequacy instrument or mechanism that carries it
    expires_on date,
    flags text[] NOT NULL,
    by_state jsonb NOT NULL,                -- EFTA states for which the verdict differs
    reasons jsonb NOT NULL,
    PRIMARY KEY (snapshot_id, flow_key, regime),
    FOREIGN KEY (snapshot_id, flow_key) REFERENCES gov.inventory_flow
);
CREATE TABLE gov.finding (
    fingerprint text PRIMARY KEY,
    process text NOT NULL,
    rule text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFO')),
    asset text NOT NULL,
    title text NOT NULL,
    what_to_do text NOT NULL,
    owner text NOT NULL,
    observers text[] NOT NULL,              -- must have looked before silence closes it
    status text NOT NULL CHECK (status IN ('open', 'closed')),
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    due_on date,
    closed_at timestamptz,
    last_run_id text NOT NULL
);
CREATE INDEX finding_open ON gov.finding (process, severity) WHERE status = 'open';
CREATE TABLE gov.finding_change (           -- what each run changed
    run_id text NOT NULL,
    fingerprint text NOT NULL REFERENCES gov.finding,
    change text NOT NULL CHECK (change IN ('new', 'reopened', 'changed', 'closed')),
    at timestamptz NOT NULL,
    PRIMARY KEY (run_id, fingerprint)
);
CREATE INDEX finding_change_fingerprint ON gov.finding_change (fingerprint);
CREATE TABLE gov.blocked_destination (      -- jobs ask it before they write: lifted_at IS NULL means no
    destination text NOT NULL,              -- bucket:…, connection:…, processor:…
    fingerprint text NOT NULL REFERENCES gov.finding,
    reason text NOT NULL,
    blocked_at timestamptz NOT NULL,
    lifted_at timestamptz,
    PRIMARY KEY (destination, fingerprint)
);
CREATE INDEX blocked_destination_fingerprint ON gov.blocked_destination (fingerprint);
"""

DOWNGRADE = """
DROP TABLE gov.blocked_destination, gov.finding_change, gov.finding, gov.flow_verdict, gov.inventory_flow,
    gov.inventory_snapshot, gov.transfer, gov.transfer_mechanism, gov.processor, gov.reference_review;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
