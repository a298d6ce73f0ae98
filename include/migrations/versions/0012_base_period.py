"""Base period of a course in a quarter: decided once, from the quarter before, and kept whatever changes later."""

from alembic import op

revision = "0012_base_period"
down_revision = "0011_delivery"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.release_base_period (
    course_id text NOT NULL,
    quarter text NOT NULL CHECK (quarter ~ '^[0-9]{4}-Q[1-4]$'),
    base text NOT NULL CHECK (base IN ('week', 'block', 'quarter')),
    spec_version text NOT NULL,             -- whose limits decided
    run_id text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (course_id, quarter)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.release_base_period
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
"""

DOWNGRADE = "DROP TABLE gov.release_base_period;"


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
