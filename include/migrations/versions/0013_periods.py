"""Releases of weeks, blocks, quarters and years: a master and a release are of a period, not always of a week."""

from alembic import op

revision = "0013_periods"
down_revision = "0012_base_period"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.release_master RENAME COLUMN iso_week TO period_key;
ALTER TABLE gov.release_master
    DROP CONSTRAINT release_master_iso_week_check,
    ADD CONSTRAINT release_master_period CHECK (period_key ~ '^[0-9]{4}(-W[0-9]{2}|-Q[1-4](-B[1-3])?)?$'),
    ADD COLUMN ends_at timestamptz;         -- end of the period: the latch of a course's activity goes by it
ALTER TABLE gov.release_register
    -- iso_week is the week with which the period closed
    ADD COLUMN period_key text CHECK (period_key ~ '^[0-9]{4}(-W[0-9]{2}|-Q[1-4](-B[1-3])?)?$'),
    ADD COLUMN utility jsonb;               -- cells published by table, numbers withheld by each rule
ALTER TABLE gov.release_master DISABLE TRIGGER append_only;
ALTER TABLE gov.release_register DISABLE TRIGGER append_only;
UPDATE gov.release_master SET ends_at =
    (TO_DATE(period_key, 'IYYY-"W"IW') + 7)::timestamp AT TIME ZONE 'Europe/London';
UPDATE gov.release_register SET period_key = iso_week, utility = '{}';
ALTER TABLE gov.release_master ENABLE TRIGGER append_only;
ALTER TABLE gov.release_register ENABLE TRIGGER append_only;
ALTER TABLE gov.release_master ALTER COLUMN ends_at SET NOT NULL;
ALTER TABLE gov.release_register
    ALTER COLUMN period_key SET NOT NULL,
    ALTER COLUMN utility SET NOT NULL,
    DROP CONSTRAINT release_register_product_recipient_id_iso_week_spec_version_key,
    ADD CONSTRAINT release_register_once UNIQUE (product, recipient_id, period_key, spec_version);
CREATE INDEX release_register_period ON gov.release_register (period_key);
"""

DOWNGRADE = """
ALTER TABLE gov.release_register
    DROP CONSTRAINT release_register_once,
    ADD CONSTRAINT release_register_product_recipient_id_iso_week_spec_version_key
        UNIQUE (product, recipient_id, iso_week, spec_version),
    DROP COLUMN period_key,
    DROP COLUMN utility;
ALTER TABLE gov.release_master
    DROP CONSTRAINT release_master_period,
    DROP COLUMN ends_at;
ALTER TABLE gov.release_master RENAME COLUMN period_key TO iso_week;
ALTER TABLE gov.release_master
    ADD CONSTRAINT release_master_iso_week_check CHECK (iso_week ~ '^[0-9]{4}-W[0-9]{2}$');
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
