"""Objects: locks that are exceptions, copies, rows of people inside shared objects."""

from alembic import op

revision = "0008_objects"
down_revision = "0007_erasure"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.erasure_object
    ADD COLUMN copy_of text,                -- the bucket whose keys this one repeats
    ADD COLUMN state text NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'erased', 'exception')),
    ADD COLUMN reason text CHECK (reason ~ '^[A-Za-z][A-Za-z0-9_]*$'), -- of an exception, a code: LOCKED, LEGAL_HOLD
    ADD COLUMN locked_until timestamptz;    -- NULL: until somebody lifts the legal hold
CREATE INDEX erasure_object_exception ON gov.erasure_object (plan_id) WHERE state = 'exception';

CREATE TABLE gov.erasure_rewrite (          -- one version of a shared object that holds rows of planned subjects
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    rewrite_no bigint GENERATED ALWAYS AS IDENTITY,
    store text NOT NULL,                    -- key in the data map
    bucket text NOT NULL,
    object_key text NOT NULL,               -- empty: the bucket could not be listed
    version_id text NOT NULL,
    etag text NOT NULL,
    late boolean NOT NULL DEFAULT false,    -- found after the plan was frozen, by its frozen identifiers
    rows_total bigint NOT NULL DEFAULT 0,
    rows_found bigint NOT NULL DEFAULT 0,
    state text NOT NULL CHECK (state IN ('planned', 'done', 'exception')),
    reason text CHECK (reason ~ '^[A-Za-z][A-Za-z0-9_]*$'),
    what text,                              -- of an object that cannot be read: what is wrong, without its content
    locked_until timestamptz,
    done_at timestamptz,
    PRIMARY KEY (plan_id, bucket, object_key, version_id, etag)
);

CREATE TABLE gov.erasure_rewrite_case (     -- emptied when the plan is sealed
    plan_id uuid NOT NULL REFERENCES gov.erasure_plan,
    rewrite_no bigint NOT NULL,
    case_id uuid NOT NULL,
    rows_found bigint NOT NULL,
    PRIMARY KEY (plan_id, rewrite_no, case_id)
);
"""

DOWNGRADE = """
DROP TABLE gov.erasure_rewrite_case, gov.erasure_rewrite;
DROP INDEX gov.erasure_object_exception;
ALTER TABLE gov.erasure_object DROP COLUMN copy_of, DROP COLUMN state, DROP COLUMN reason, DROP COLUMN locked_until;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
