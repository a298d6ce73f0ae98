"""Return: identifiers kept for later sweeps, import checks, restores."""

from alembic import op

revision = "0009_return"
down_revision = "0008_objects"
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
