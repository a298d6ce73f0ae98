"""Downstream: instructions to processors, notices to recipients, sealed work items."""

from alembic import op

revision = "0010_downstream"
down_revision = "0009_return"
branch_labels = None
depends_on = None

UPGRADE = """
SELECT 1;
"""

DOWNGRADE = """
SELECT 1;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
