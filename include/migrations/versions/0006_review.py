"""Reviews: decisions of people, notices, service levels."""

from alembic import op

revision = "0006_review"
down_revision = "0005_detection"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.minor_case DROP CONSTRAINT minor_case_state_check;
ALTER TABLE gov.minor_case
    ADD CONSTRAINT minor_case_state_check CHECK (state IN (
        'OPEN', 'RESTRICTED', 'IN_REVIEW', 'DECIDED', 'HOLD_CHECK', 'INTENT_LOGGED', 'ERASING', 'PRIMARY_ERASED',
        'PROPAGATING', 'VERIFYING', 'PARTIAL_RETAINED', 'ON_HOLD', 'ERRORED', 'REOPENED', 'CLOSED', 'CLEARED'
    )),
    ADD COLUMN decision text CHECK (decision IN ('CONFIRMED', 'CLEARED')),
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decision_reason text CHECK (decision_reason ~ '^[A-Z][A-Z0-9_]*$'),
    ADD COLUMN review_due date,                    -- working day by which people should have decided
    ADD COLUMN escalation smallint NOT NULL DEFAULT 0,
    ADD COLUMN asked_until timestamptz,            -- a question about this case waits for an answer till then
    ADD COLUMN objected_at timestamptz,            -- the person says that the date is wrong: people decide
    ADD COLUMN erase_after timestamptz,            -- the person may still answer the notice till then
    ADD COLUMN erasure_requested_by text,          -- run that asked for an erasure run beside the nightly one
    ADD CONSTRAINT minor_case_decided CHECK ((decision IS NULL) = (decided_at IS NULL)),
    ADD CONSTRAINT minor_case_cleared CHECK (state <> 'CLEARED' OR coalesce(decision, '') = 'CLEARED'),
    ADD CONSTRAINT minor_case_erased_confirmed CHECK (
        state NOT IN ('INTENT_LOGGED', 'ERASING', 'PRIMARY_ERASED', 'PROPAGATING')
        OR class = 'CONFIRMED_MINOR' OR coalesce(decision, '') = 'CONFIRMED'
    ),
    ADD CONSTRAINT minor_case_not_cleared CHECK (decision IS DISTINCT FROM 'CLEARED' OR state = 'CLEARED');

CREATE TABLE gov.case_decision (                   -- what each person decided about exactly which evidence
    decision_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    evidence_hash text NOT NULL,
    step smallint NOT NULL CHECK (step > 0),
    decision text NOT NULL CHECK (decision IN ('CONFIRM', 'CLEAR', 'KEEP')),
    reason text NOT NULL CHECK (reason ~ '^[A-Z][A-Z0-9_]*$'), -- a code, never free text
    person_id text NOT NULL CHECK (person_id <> ''), -- of a member of staff in Airflow
    person_name text NOT NULL,
    run_id text NOT NULL,
    decided_at timestamptz NOT NULL
);
CREATE INDEX case_decision_case ON gov.case_decision (case_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.case_decision
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

CREATE TABLE gov.case_objection (                  -- "this date is wrong"
    case_id uuid PRIMARY KEY REFERENCES gov.minor_case,
    received_at timestamptz NOT NULL,
    case_state text NOT NULL                       -- as the objection found it
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.case_objection
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

CREATE TABLE gov.notice (                          -- what is to be told to whom; the address is read when it is sent
    notice_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    kind text NOT NULL CHECK (kind IN ('RESTRICTED')),
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed', 'needless')),
    attempts smallint NOT NULL DEFAULT 0,
    fault text CHECK (fault ~ '^[A-Z][A-Z0-9_]*$'), -- why it was not sent, a code
    queued_at timestamptz NOT NULL,
    sent_at timestamptz,
    UNIQUE (case_id, kind),
    CHECK ((state = 'sent') = (sent_at IS NOT NULL))
);
CREATE INDEX notice_queued ON gov.notice (queued_at) WHERE state = 'queued';

CREATE TABLE gov.evidence_view (                   -- who looked at which evidence; written before it is shown
    view_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    case_id uuid NOT NULL REFERENCES gov.minor_case,
    person_id text NOT NULL CHECK (person_id <> ''),
    person_name text NOT NULL,
    cells integer NOT NULL,                        -- how many pieces of evidence were asked for
    viewed_at timestamptz NOT NULL
);
CREATE INDEX evidence_view_case ON gov.evidence_view (case_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.evidence_view
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

-- Who approved is told apart by the id; the name is for reading.
ALTER TABLE gov.approval ADD COLUMN approver_name text NOT NULL DEFAULT '';
"""

DOWNGRADE = """
ALTER TABLE gov.approval DROP COLUMN approver_name;
DROP TABLE gov.evidence_view, gov.notice, gov.case_objection, gov.case_decision;
ALTER TABLE gov.minor_case
    DROP CONSTRAINT minor_case_state_check,
    ADD CONSTRAINT minor_case_state_check CHECK (state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW', 'ON_HOLD',
        'PRIMARY_ERASED', 'VERIFYING', 'CLOSED', 'CLEARED', 'ERRORED', 'REOPENED')),
    DROP CONSTRAINT minor_case_erased_confirmed,
    DROP COLUMN decision, DROP COLUMN decided_at, DROP COLUMN decision_reason, DROP COLUMN review_due,
    DROP COLUMN escalation, DROP COLUMN asked_until, DROP COLUMN objected_at, DROP COLUMN erase_after,
    DROP COLUMN erasure_requested_by;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
