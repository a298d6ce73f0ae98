"""What the transfer observers read and keep: people with access, accesses, sub-processors, when the blocks were set."""

from alembic import op

revision = "0016_observers"
down_revision = "0015_transfer_judgement"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.staff (                    -- who may reach personal data: references of the people list, no names
    staff_ref text PRIMARY KEY CHECK (staff_ref <> ''),
    engagement text NOT NULL CHECK (engagement IN ('employee', 'contractor', 'agency')),
    employer text NOT NULL CHECK (employer <> ''),  -- key of the registry of processors
    home_country text NOT NULL,             -- where the person is engaged
    ended_on date
);
CREATE TABLE gov.access_log (               -- addresses of people: deleted after access_keep_days
    access_log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor text NOT NULL,                    -- staff_ref
    at timestamptz NOT NULL,
    ip inet NOT NULL CHECK (masklen(ip) = CASE family(ip) WHEN 4 THEN 32 ELSE 128 END),
    country text,                           -- as whoever logged it says: single sign-on, VPN, device
    store text NOT NULL DEFAULT '',
    purpose text NOT NULL DEFAULT '',
    ticket_id text
);
CREATE INDEX access_log_at ON gov.access_log USING brin (at);
CREATE TABLE gov.subprocessor_listing (     -- what a processor's annex or page said on a day
    processor_id text NOT NULL,
    listed_on date NOT NULL,
    subprocessor text NOT NULL,             -- '': the list of that day names nobody
    country text NOT NULL DEFAULT '',
    purpose text NOT NULL DEFAULT '',
    source text NOT NULL CHECK (source <> ''),
    PRIMARY KEY (processor_id, listed_on, subprocessor, country)
);
CREATE TABLE gov.access_by_country (        -- what a snapshot counted: countries and numbers, nobody
    snapshot_id bigint NOT NULL REFERENCES gov.inventory_snapshot,
    source text NOT NULL CHECK (source IN ('geoip', 'log', 'people')),
    engagement text NOT NULL,
    employer text NOT NULL,
    country text NOT NULL,                  -- '': nobody could tell
    n bigint NOT NULL,                      -- accesses, or people
    PRIMARY KEY (snapshot_id, source, engagement, employer, country)
);
CREATE TABLE gov.block_list_renewal (       -- a run looked and set the block list as of this time
    renewed_at timestamptz NOT NULL,
    run_id text NOT NULL,
    PRIMARY KEY (renewed_at, run_id)
);
ALTER TABLE gov.inventory_snapshot ADD COLUMN geoip jsonb;  -- edition of the GeoIP database: type and build day
"""

DOWNGRADE = """
ALTER TABLE gov.inventory_snapshot DROP COLUMN geoip;
DROP FUNCTION IF EXISTS gov.data_links();
DROP TABLE gov.block_list_renewal, gov.access_by_country, gov.subprocessor_listing, gov.access_log, gov.staff;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
