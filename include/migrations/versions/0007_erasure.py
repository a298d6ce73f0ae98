"""Erasure: retained minimum, exceptions, what plans remember."""

from alembic import op

revision = "0007_erasure"
down_revision = "0006_review"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.erasure_change (           -- what the erasing transaction changed, as the server counted it
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    table_name text NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    to_update bigint NOT NULL,              -- planned
    to_delete bigint NOT NULL,
    PRIMARY KEY (plan_id, table_name)
);
ALTER TABLE gov.erasure_step DROP COLUMN rows_before, DROP COLUMN rows_after;

-- One check per row of what a case left in each table made the record as slow as the deletion.
ALTER TABLE gov.erasure_asset DROP CONSTRAINT erasure_asset_plan_id_fkey;
"""

DOWNGRADE = """
ALTER TABLE gov.erasure_asset ADD FOREIGN KEY (plan_id) REFERENCES gov.erasure_plan;
ALTER TABLE gov.erasure_step ADD COLUMN rows_before bigint, ADD COLUMN rows_after bigint;
DROP TABLE gov.erasure_change;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
