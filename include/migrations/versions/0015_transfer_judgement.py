"""Transfers: declarations with their history, re-judged snapshots, the reason code of a verdict, waivers."""

from alembic import op

revision = "0015_transfer_judgement"
down_revision = "0014_corrections"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.registry_entry (           -- one state of one declaration; the newest row of a name is what counts
    registry_entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    section text NOT NULL,                  -- transfers, processors, mechanisms, …: a file of include/registry
    name text NOT NULL,
    body jsonb,                             -- NULL: withdrawn
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL CHECK (recorded_by <> '')     -- a person, or the run that read the files
);
CREATE INDEX registry_entry_newest ON gov.registry_entry (section, name, registry_entry_id DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.registry_entry
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

ALTER TABLE gov.inventory_snapshot
    DROP CONSTRAINT inventory_snapshot_basis_check,
    -- observed: looked at the world. stored: flows of source_snapshot_id. declared_then: of the registry as recorded
    -- on the day. declared_now: of the registry of today, as nothing was recorded then or the day is to come.
    ADD CONSTRAINT inventory_snapshot_basis_check
        CHECK (basis IN ('observed', 'stored', 'declared_then', 'declared_now')),
    ADD COLUMN source_snapshot_id bigint REFERENCES gov.inventory_snapshot,
    ADD COLUMN declared_at timestamptz,     -- the registry as recorded at this instant; NULL: as it stands today
    ADD CONSTRAINT inventory_snapshot_source CHECK ((basis = 'stored') = (source_snapshot_id IS NOT NULL));
CREATE INDEX inventory_snapshot_source_fk ON gov.inventory_snapshot (source_snapshot_id);

ALTER TABLE gov.flow_verdict ADD COLUMN code text NOT NULL DEFAULT '';      -- the reason that decided

CREATE TABLE gov.finding_waiver (           -- a named person takes the risk of one finding until a day
    finding_waiver_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,              -- of gov.finding: the trigger looks
    approver text NOT NULL CHECK (approver <> ''),
    reason text NOT NULL CHECK (reason IN ('FIX_SCHEDULED', 'CONTRACT_IN_SIGNATURE', 'ANSWER_AWAITED', 'RISK_ACCEPTED',
        'FALSE_POSITIVE')),
    waived_at timestamptz NOT NULL,
    waived_on date NOT NULL,
    expires_on date NOT NULL,               -- last day that it holds
    CONSTRAINT finding_waiver_ends CHECK (expires_on >= waived_on AND expires_on <= waived_on + 90)
);
CREATE INDEX finding_waiver_fingerprint ON gov.finding_waiver (fingerprint, expires_on);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.finding_waiver
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE FUNCTION gov.refuse_critical_waiver() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    grave text := (SELECT f.severity FROM gov.finding AS f WHERE f.fingerprint = NEW.fingerprint AND f.status = 'open');
BEGIN
    IF grave IS NULL OR grave = 'CRITICAL' THEN
        RAISE EXCEPTION 'only open findings that are not critical can be waived' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER never_critical BEFORE INSERT ON gov.finding_waiver
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_critical_waiver();

ALTER TABLE gov.finding_change
    DROP CONSTRAINT finding_change_change_check,
    ADD CONSTRAINT finding_change_change_check
        CHECK (change IN ('new', 'reopened', 'changed', 'closed', 'waiver_ended'));
"""

DOWNGRADE = """
DELETE FROM gov.finding_change WHERE change = 'waiver_ended';
ALTER TABLE gov.finding_change
    DROP CONSTRAINT finding_change_change_check,
    ADD CONSTRAINT finding_change_change_check CHECK (change IN ('new', 'reopened', 'changed', 'closed'));
DROP TABLE gov.finding_waiver;
DROP FUNCTION gov.refuse_critical_waiver();
ALTER TABLE gov.flow_verdict DROP COLUMN code;
ALTER TABLE gov.inventory_snapshot
    DROP CONSTRAINT inventory_snapshot_source,
    DROP CONSTRAINT inventory_snapshot_basis_check,
    DROP COLUMN source_snapshot_id,
    DROP COLUMN declared_at;
UPDATE gov.inventory_snapshot SET basis = 'declared_now' WHERE basis IN ('stored', 'declared_then');
ALTER TABLE gov.inventory_snapshot
    ADD CONSTRAINT inventory_snapshot_basis_check CHECK (basis IN ('observed', 'declared_now'));
DROP TABLE gov.registry_entry;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
