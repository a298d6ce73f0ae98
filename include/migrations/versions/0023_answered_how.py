"""How it is known who answered about a redaction: people of two ways of saying who they are do not add up to two. And
what an editor and a privacy lead decided to leave in a public record."""

from alembic import op

revision = "0023_answered_how"
down_revision = "0022_owned_rows"
branch_labels = None
depends_on = None

UPGRADE = """
ALTER TABLE gov.redaction_answer
    -- login: signed in to Airflow. account: the machine's account under which a command ran. given: a name that was
    -- only said, before there were the other two; it counts for nothing that is still open.
    ADD COLUMN way text NOT NULL DEFAULT 'given' CHECK (way IN ('login', 'account', 'given')),
    DROP CONSTRAINT redaction_answer_pkey,
    ADD PRIMARY KEY (redaction_id, way, person, answer);
ALTER TABLE gov.redaction_answer ALTER COLUMN way DROP DEFAULT;
ALTER TABLE gov.redaction
    DROP CONSTRAINT redaction_state_check,
    ADD CONSTRAINT redaction_state_check CHECK (state IN
        ('proposed', 'rejected', 'kept', 'confirmed', 'intended', 'redacted', 'verified', 'refused'));
UPDATE gov.redaction SET state = 'proposed' WHERE state = 'confirmed';  -- asked again
CREATE INDEX erasure_ledger_held ON gov.erasure_ledger (case_id) WHERE kind = 'held_erased';
"""

DOWNGRADE = """
DROP INDEX gov.erasure_ledger_held;
UPDATE gov.redaction SET state = 'rejected', row_key = NULL WHERE state = 'kept';
ALTER TABLE gov.redaction
    DROP CONSTRAINT redaction_state_check,
    ADD CONSTRAINT redaction_state_check CHECK (state IN
        ('proposed', 'rejected', 'confirmed', 'intended', 'redacted', 'verified', 'refused'));
ALTER TABLE gov.redaction_answer DROP CONSTRAINT redaction_answer_pkey;
DELETE FROM gov.redaction_answer AS a USING gov.redaction_answer AS b
    WHERE a.redaction_id = b.redaction_id AND a.person = b.person AND a.answer = b.answer AND a.way > b.way;
ALTER TABLE gov.redaction_answer DROP COLUMN way, ADD PRIMARY KEY (redaction_id, person, answer);
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
