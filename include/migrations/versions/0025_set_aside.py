"""Cases that a plan leaves to a later one, as their evidence, read a second way, does not show what they stand on: one
person's odd value keeps nobody else's erasure waiting."""

from alembic import op

revision = "0025_set_aside"
down_revision = "0024_append_together"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE gov.erasure_plan ADD COLUMN set_aside uuid[] NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE gov.erasure_plan DROP COLUMN set_aside")
