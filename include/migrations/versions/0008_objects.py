"""Objects: rewritten shared objects, locks that are exceptions."""

from alembic import op

revision = "0008_objects"
down_revision = "0007_erasure"
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
