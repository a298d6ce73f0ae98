"""Reviews: decisions of people, notices, service levels."""

from alembic import op

revision = "0006_review"
down_revision = "0005_detection"
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
