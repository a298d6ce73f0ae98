"""Erasure: retained minimum, exceptions, what plans remember."""

from alembic import op

revision = "0007_erasure"
down_revision = "0006_review"
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
