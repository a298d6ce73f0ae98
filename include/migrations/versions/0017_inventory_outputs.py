"""What a run of the inventory publishes: its files, its differences from the run before, and who signed it off."""

from alembic import op

revision = "0017_inventory_outputs"
down_revision = "0016_observers"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.inventory_snapshot
    ADD COLUMN compared_with bigint REFERENCES gov.inventory_snapshot,  -- the inventory that the changes start from
    ADD COLUMN outputs_sha256 text,             -- of manifest.json, which names every other file
    ADD COLUMN secrets_in_outputs int;          -- files with secrets are counted and not kept
CREATE TABLE gov.inventory_output (
    snapshot_id bigint NOT NULL REFERENCES gov.inventory_snapshot,
    name text NOT NULL,
    media_type text NOT NULL,
    sha256 text NOT NULL,
    body bytea NOT NULL,
    object_key text,                            -- in the evidence bucket; NULL: not published
    PRIMARY KEY (snapshot_id, name)
);
CREATE TABLE gov.inventory_change (
    snapshot_id bigint NOT NULL REFERENCES gov.inventory_snapshot,
    change_no int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('flow_added', 'flow_removed', 'flow_changed', 'verdict_changed')),
    flow_key text NOT NULL,
    place text NOT NULL,
    nature text NOT NULL,
    country text,
    importer text NOT NULL,
    regime text NOT NULL,                       -- '': of the flow, not of a verdict
    before text NOT NULL,
    after text NOT NULL,
    explanation text NOT NULL CHECK (explanation <> ''),
    PRIMARY KEY (snapshot_id, change_no)
);
CREATE TABLE gov.inventory_sign_off (
    snapshot_id bigint PRIMARY KEY REFERENCES gov.inventory_snapshot,
    inventory_sha256 text NOT NULL,
    approver text NOT NULL CHECK (approver <> ''),
    approver_name text NOT NULL,
    role text NOT NULL,
    signed_at timestamptz NOT NULL
);
CREATE INDEX inventory_sign_off_signed ON gov.inventory_sign_off (signed_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.inventory_sign_off
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();
CREATE FUNCTION gov.refuse_change_of_published_inventory() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
DECLARE
    of_snapshot bigint := CASE TG_OP WHEN 'INSERT' THEN NEW.snapshot_id ELSE OLD.snapshot_id END;
BEGIN
    IF EXISTS (
        SELECT 1 FROM gov.inventory_snapshot AS s WHERE s.snapshot_id = of_snapshot AND s.published_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the inventory is published and stays as it is';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER published_stays BEFORE INSERT OR UPDATE OR DELETE ON gov.inventory_output
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_change_of_published_inventory();
CREATE TRIGGER published_stays BEFORE INSERT OR UPDATE OR DELETE ON gov.inventory_change
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_change_of_published_inventory();
"""

DOWNGRADE = """
DROP TABLE gov.inventory_sign_off, gov.inventory_change, gov.inventory_output;
DROP FUNCTION gov.refuse_change_of_published_inventory();
ALTER TABLE gov.inventory_snapshot
    DROP COLUMN compared_with, DROP COLUMN outputs_sha256, DROP COLUMN secrets_in_outputs;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
