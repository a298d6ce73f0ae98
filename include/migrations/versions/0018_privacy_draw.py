"""Draws of noisy counts, each made and paid for once: the register of what the second profile costs people."""

from alembic import op

revision = "0018_privacy_draw"
down_revision = "0017_inventory_outputs"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.privacy_draw (             -- noisy, rounded or withheld counts of every public key; no true one
    period_key text NOT NULL CHECK (period_key ~ '^[0-9]{4}(-W[0-9]{2}|-Q[1-4])?$'),
    year_key text NOT NULL CHECK (year_key ~ '^[0-9]{4}$' AND LEFT(period_key, 4) = year_key),
    spec_version text NOT NULL,
    rho numeric NOT NULL CHECK (rho > 0),   -- zCDP: what the draw costs each person who was there
    cells_per_person integer NOT NULL CHECK (cells_per_person > 0),
    scale double precision NOT NULL CHECK (scale > 0),
    cells jsonb NOT NULL,
    sha256 text NOT NULL,
    run_id text NOT NULL,
    drawn_at timestamptz NOT NULL,
    PRIMARY KEY (period_key, spec_version)  -- a second draw would let a reader average the noise away
);
CREATE INDEX privacy_draw_year ON gov.privacy_draw (year_key);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.privacy_draw
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
"""

DOWNGRADE = """
DROP TABLE gov.privacy_draw;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
