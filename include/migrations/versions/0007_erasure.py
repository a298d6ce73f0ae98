"""Erasure: retained minimum, exceptions, what plans remember."""

from alembic import op

revision = "0007_erasure"
down_revision = "0006_review"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.erasure_change (           -- what the erasing transaction changed, as the server counted it
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    table_name text NOT NULL,
    inserted bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    to_update bigint NOT NULL,              -- planned
    to_delete bigint NOT NULL,
    PRIMARY KEY (plan_id, table_name)
);

-- What the law makes us keep of an erased person's orders: no key, birth date or mail address, and no duty may read it.
-- Staff who need it for an audit are granted it by name, outside of these jobs.
CREATE TABLE gov.retained_record (
    record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source text NOT NULL,                   -- table of the data map
    rule text NOT NULL,
    kept jsonb NOT NULL,
    delete_after date NOT NULL
);
CREATE INDEX retained_record_term ON gov.retained_record (delete_after);
CREATE FUNCTION gov.delete_retained(today date)
RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH gone AS (DELETE FROM gov.retained_record WHERE delete_after < today RETURNING 1) SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION gov.delete_retained(date) FROM PUBLIC;

ALTER TABLE gov.erasure_step DROP COLUMN rows_before, DROP COLUMN rows_after;

-- One check per row of what a case left in each table made the record as slow as the deletion.
ALTER TABLE gov.erasure_asset DROP CONSTRAINT erasure_asset_plan_id_fkey;

-- Which cases may be erased, said once: a machine's own confirmation that nobody contradicted, or people's. A hold
-- suspends either. ``erase_after``: till then the person may answer that the date is wrong.
CREATE VIEW gov.erasable_case AS
SELECT
    c.case_id, c.subject_kind, c.subject_table, c.subject_key, c.state, c.discovered_at, c.erase_after
FROM gov.minor_case AS c
WHERE c.subject_key IS NOT NULL AND (
    (
        c.class = 'CONFIRMED_MINOR' AND c.decision IS NULL AND c.objected_at IS NULL
        AND (c.state IN ('RESTRICTED', 'ON_HOLD') OR (c.subject_kind = 'row' AND c.state = 'OPEN'))
    )
    OR (c.decision = 'CONFIRMED' AND c.state IN ('DECIDED', 'ON_HOLD'))
);

-- A hold is reviewed: after 90 days at the latest (EDPB and ICO: no longer than necessary). Nothing releases it.
ALTER TABLE gov.legal_hold
    ADD CONSTRAINT legal_hold_reviewed CHECK (review_on <= CAST(placed_at AT TIME ZONE 'UTC' AS date) + 90),
    ADD CONSTRAINT legal_hold_approved CHECK (approver <> '');

-- The answer to a verified person's access request is sealed, then the data may go (Data Protection Act 2018 s.173
-- makes it an offence to erase in order to prevent the answer). The seal is destroyed when it was delivered.
ALTER TABLE gov.dsr_request
    ADD COLUMN sealed_at timestamptz,
    ADD COLUMN sealed_approver text,                -- who answers for it: not who asked for the erasure
    ADD COLUMN seal_bucket text,
    ADD COLUMN seal_key text,
    ADD COLUMN seal_sha256 text,
    ADD COLUMN seal_destroyed_at timestamptz,
    ADD CONSTRAINT dsr_request_sealed CHECK (
        sealed_at IS NULL OR (
            identity_verified_at IS NOT NULL AND sealed_approver <> '' AND seal_bucket <> '' AND seal_key <> ''
            AND seal_sha256 ~ '^[0-9a-f]{64}$'
        )
    );
"""

DOWNGRADE = """
ALTER TABLE gov.dsr_request DROP CONSTRAINT dsr_request_sealed, DROP COLUMN sealed_at, DROP COLUMN sealed_approver,
    DROP COLUMN seal_bucket, DROP COLUMN seal_key, DROP COLUMN seal_sha256, DROP COLUMN seal_destroyed_at;
ALTER TABLE gov.legal_hold DROP CONSTRAINT legal_hold_reviewed, DROP CONSTRAINT legal_hold_approved;
DROP VIEW gov.erasable_case;
ALTER TABLE gov.erasure_asset ADD FOREIGN KEY (plan_id) REFERENCES gov.erasure_plan;
ALTER TABLE gov.erasure_step ADD COLUMN rows_before bigint, ADD COLUMN rows_after bigint;
DROP TABLE gov.erasure_change;
DROP FUNCTION gov.delete_retained(date);
DROP TABLE gov.retained_record;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
