"""Corrections of releases: a revision of masters and of packs, who asked for it, and which columns a release showed."""

from alembic import op

revision = "0014_corrections"
down_revision = "0013_periods"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.release_correction (       -- somebody asked for released figures to be counted again
    revision smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- 0 is what was released first
    period_key text NOT NULL CHECK (period_key ~ '^[0-9]{4}(-W[0-9]{2}|-Q[1-4](-B[1-3])?)?$'),
    reason text NOT NULL,                   -- plain words: the recipients read them
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL
);
CREATE TABLE gov.release_correction_run (   -- the one run that carries a correction out
    revision smallint PRIMARY KEY REFERENCES gov.release_correction,
    run_id text NOT NULL UNIQUE,
    begun_at timestamptz NOT NULL
);
ALTER TABLE gov.release_master
    -- Of a correction that was refused later, nothing reads them: one that counts has a release of its revision.
    ADD COLUMN revision smallint NOT NULL DEFAULT 0,
    DROP CONSTRAINT release_master_pkey,
    ADD PRIMARY KEY (course_id, period_key, spec_version, revision);
ALTER TABLE gov.release_register
    ADD COLUMN revision smallint NOT NULL DEFAULT 0,
    ADD COLUMN supersedes text UNIQUE REFERENCES gov.release_register,
    ADD COLUMN columns text[] NOT NULL DEFAULT '{}', -- table.column of every dimension and measure that it shows
    DROP CONSTRAINT release_register_once,
    ADD CONSTRAINT release_register_once UNIQUE (product, recipient_id, period_key, spec_version, revision),
    ADD CONSTRAINT release_register_corrects CHECK ((revision = 0) = (supersedes IS NULL));
CREATE INDEX release_register_revision ON gov.release_register (revision) WHERE revision > 0;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_correction
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_correction_run
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
"""

DOWNGRADE = """
ALTER TABLE gov.release_register
    DROP CONSTRAINT release_register_corrects,
    DROP CONSTRAINT release_register_once,
    ADD CONSTRAINT release_register_once UNIQUE (product, recipient_id, period_key, spec_version),
    DROP COLUMN columns,
    DROP COLUMN supersedes,
    DROP COLUMN revision;
ALTER TABLE gov.release_master
    DROP CONSTRAINT release_master_pkey,
    ADD PRIMARY KEY (course_id, period_key, spec_version),
    DROP COLUMN revision;
DROP TABLE gov.release_correction_run, gov.release_correction;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
