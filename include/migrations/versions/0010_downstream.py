"""Downstream: instructions to processors, notices to recipients, sealed work items, certificates and supplements.

What a party knows a person by stands here only encrypted, and for seven days at most.
"""

from alembic import op

revision = "0010_downstream"
down_revision = "0009_return"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.downstream_instruction (
    instruction_id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    party text NOT NULL,                    -- key in include/registry/downstream.yaml
    kind text CHECK (kind IN ('DELETE', 'NOTICE', 'ACCREDITOR')), -- as the registry said when it was sent
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'acknowledged', 'chased', 'escalated',
        'refused', 'undeliverable', 'withdrawn')),
    reason text NOT NULL DEFAULT '',        -- a code: why it is in this state
    method text CHECK (method IN ('webhook', 'email', 'by_hand')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    next_attempt_at timestamptz,            -- empty: nothing more is sent by itself
    instructed_at timestamptz,              -- first time that the party took it
    acked_at timestamptz,
    ack_sha256 text,                        -- of the party's reference
    ack_found integer,                      -- records that the party says it erased; empty: it did not say
    UNIQUE (plan_id, case_id, party)
);
CREATE INDEX downstream_instruction_open ON gov.downstream_instruction (next_attempt_at)
    WHERE state NOT IN ('acknowledged', 'withdrawn');
CREATE INDEX downstream_instruction_case ON gov.downstream_instruction (case_id);

CREATE TABLE gov.downstream_event (         -- what happened to an instruction, in order
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instruction_id uuid NOT NULL REFERENCES gov.downstream_instruction,
    at timestamptz NOT NULL,
    event text NOT NULL,                    -- created, sending, sent, acknowledged, failed, chased, …
    detail text NOT NULL DEFAULT '' CHECK (detail ~ '^[A-Z0-9_]*$')  -- a code, never what a party wrote
);
CREATE INDEX downstream_event_instruction ON gov.downstream_event (instruction_id, event_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.downstream_event
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

CREATE TABLE gov.work_item (                -- what a party knows a person by, encrypted
    instruction_id uuid PRIMARY KEY REFERENCES gov.downstream_instruction,
    key_id text NOT NULL,
    nonce bytea,
    sealed bytea,                           -- AES-256-GCM; emptied when the party acknowledged or the time is over
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    destroyed_at timestamptz,
    CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL) AND (nonce IS NULL) = (sealed IS NULL))
);
CREATE INDEX work_item_alive ON gov.work_item (expires_at) WHERE sealed IS NOT NULL;

-- Bytes of a certificate before they are in the bucket: a killed task writes the same ones again, whatever key,
-- template or answer of a party changed meanwhile. Emptied when the case is sealed.
CREATE TABLE gov.certificate_draft (
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    document text NOT NULL,
    page text NOT NULL,
    PRIMARY KEY (plan_id, case_id)
);

ALTER TABLE gov.certificate ADD COLUMN told_sha256 text NOT NULL DEFAULT ''; -- of the states that it lists

CREATE TABLE gov.certificate_supplement (   -- what parties answered after the certificate
    case_id uuid NOT NULL REFERENCES gov.certificate,
    number integer NOT NULL,
    bucket text NOT NULL,
    object_key text NOT NULL,
    sha256 text NOT NULL,
    told_sha256 text NOT NULL,
    issued_at timestamptz NOT NULL,
    PRIMARY KEY (case_id, number)
);
"""

DOWNGRADE = """
DROP TABLE gov.certificate_supplement, gov.certificate_draft, gov.work_item, gov.downstream_event,
    gov.downstream_instruction;
ALTER TABLE gov.certificate DROP COLUMN told_sha256;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
