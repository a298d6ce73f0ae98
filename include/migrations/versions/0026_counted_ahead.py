"""What goes of each case is counted when the plan is frozen, and the keys of a partitioned table's rows are summed up:
the transaction that holds the publisher's rows locked does neither."""

from alembic import op

revision = "0026_counted_ahead"
down_revision = "0025_set_aside"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE gov.erasure_plan_case ADD COLUMN planned jsonb NOT NULL DEFAULT '{}'")
    op.execute("ALTER TABLE gov.erasure_step ADD COLUMN digest numeric")
    op.execute("""
        DO $$ BEGIN  -- where the roles are not made yet, `roles apply` gives it
            IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'privacy_erase') THEN
                GRANT UPDATE (planned) ON gov.erasure_plan_case TO privacy_erase;
                GRANT UPDATE (digest) ON gov.erasure_step TO privacy_erase;
            END IF;
        END $$
    """)


def downgrade() -> None:
    op.execute("ALTER TABLE gov.erasure_step DROP COLUMN digest")
    op.execute("ALTER TABLE gov.erasure_plan_case DROP COLUMN planned")
