"""usage: tables of their own process."""

from alembic import op

revision = "0003_usage"
down_revision = "0002_minors"
branch_labels = None
depends_on = None

UPGRADE = """
SELECT 1
"""

DOWNGRADE = """
SELECT 1
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
