"""Detection of every signal: kinds of evidence, cursors of the intake, reports."""

from alembic import op

revision = "0005_detection"
down_revision = "0004_transfers"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.minor_case
    ADD COLUMN restriction text NOT NULL DEFAULT 'HARD' CHECK (restriction IN ('HARD', 'SOFT', 'NONE')),
    ADD COLUMN source_faults text[] NOT NULL DEFAULT '{}'; -- sources that could not be trusted when it was judged
COMMENT ON COLUMN gov.minor_case.restriction IS
    'HARD: the account is locked or the row in quarantine; SOFT: out of exports and sends, not locked; NONE';

ALTER TABLE gov.minor_signal
    ADD COLUMN strength text NOT NULL DEFAULT 'S' CHECK (strength IN ('S', 'R', 'W', 'T')),
    ADD COLUMN rule text,                   -- of free text only: the rule and where it matched, never the words
    ADD COLUMN span_start integer,
    ADD COLUMN span_end integer CHECK (span_end > span_start);

CREATE TABLE gov.age_question (             -- nothing follows but a question: unusable dates, one weak signal alone
    subject_kind text NOT NULL CHECK (subject_kind IN ('person', 'row')),
    subject_table text NOT NULL,
    subject_key text[] NOT NULL,
    class text NOT NULL CHECK (class IN ('DOB_UNUSABLE', 'WEAK_SIGNAL')),
    flags text[] NOT NULL DEFAULT '{}',
    signals text[] NOT NULL DEFAULT '{}',
    first_seen timestamptz NOT NULL,
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (subject_table, subject_key)
);

CREATE TABLE gov.minor_report (             -- somebody told us that a person is under 18; read like any source
    report_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    signal text NOT NULL DEFAULT 'SIG-11' CHECK (signal IN ('SIG-11', 'SIG-20')),
    reporter text NOT NULL CHECK (reporter IN ('STAFF', 'TEACHER', 'PARENT', 'POLICE', 'PARTNER', 'PROCESSOR')),
    subject_kind text NOT NULL DEFAULT 'person' CHECK (subject_kind IN ('person', 'row')),
    subject_table text NOT NULL,
    subject_key text[] NOT NULL,
    says text NOT NULL DEFAULT 'UNDER_18' CHECK (says ~ '^(UNDER_18|[0-9]{1,2})$'), -- or the age that was named
    reported_at timestamptz NOT NULL,
    ticket text,                            -- where the report itself is kept
    withdrawn_at timestamptz
);
CREATE INDEX minor_report_subject ON gov.minor_report (subject_table, subject_key);

CREATE TABLE gov.intake_cursor (            -- how far an intake has read
    name text PRIMARY KEY,
    position timestamptz NOT NULL,
    moved_by_run text NOT NULL
);

-- When a case is sealed, nothing that names its subject stays in our own tables.
CREATE FUNCTION gov.forget_subject() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM gov.minor_report AS r
    WHERE r.subject_table = OLD.subject_table AND r.subject_key = OLD.subject_key;
    DELETE FROM gov.age_question AS q
    WHERE q.subject_table = OLD.subject_table AND q.subject_key = OLD.subject_key;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_subject AFTER UPDATE OF subject_key ON gov.minor_case
    FOR EACH ROW WHEN (OLD.subject_key IS NOT NULL AND NEW.subject_key IS NULL)
    EXECUTE FUNCTION gov.forget_subject();

-- What every sender and every export asks: who may not be written to, counted or shown tonight.
CREATE VIEW gov.out_of_use AS
SELECT subject_kind, subject_table, subject_key, restriction, discovered_at
FROM gov.minor_case
WHERE subject_key IS NOT NULL AND restriction <> 'NONE' AND state NOT IN ('CLOSED', 'CLEARED');
"""

DOWNGRADE = """
DROP VIEW gov.out_of_use;
DROP TRIGGER forget_subject ON gov.minor_case;
DROP FUNCTION gov.forget_subject();
DROP TABLE gov.intake_cursor, gov.minor_report, gov.age_question;
ALTER TABLE gov.minor_signal
    DROP COLUMN strength, DROP COLUMN rule, DROP COLUMN span_start, DROP COLUMN span_end;
ALTER TABLE gov.minor_case DROP COLUMN restriction, DROP COLUMN source_faults;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
