"""What operators are told: alerts, and through which channel each went out."""

from alembic import op

revision = "0020_operations"
down_revision = "0019_console"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.operator_alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN
        ('failure', 'gate_blocked', 'approval_waiting', 'late_start', 'late_finish', 'service_level')),
    dag_id text NOT NULL,
    run_id text NOT NULL,                   -- dag_id/run_id, or what is late or breached and when
    task text NOT NULL DEFAULT '',
    gate_result_id bigint,
    codes text[] NOT NULL DEFAULT '{}',     -- names of error classes, gates or metrics; never a message
    times integer NOT NULL DEFAULT 1,       -- how often it happened while one message would do
    noted_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL
);
CREATE INDEX operator_alert_of_run ON gov.operator_alert (kind, run_id, last_at DESC);
CREATE INDEX operator_alert_noted ON gov.operator_alert (noted_at);
CREATE TABLE gov.alert_delivery (           -- a message about an alert, by channel; a row without sent_at is a claim
    alert_id bigint NOT NULL REFERENCES gov.operator_alert,
    channel text NOT NULL,
    claimed_at timestamptz NOT NULL,
    sent_at timestamptz,
    PRIMARY KEY (alert_id, channel)
);
CREATE INDEX alert_delivery_claimed ON gov.alert_delivery (channel, claimed_at);
CREATE INDEX run_open ON gov.run (as_of) WHERE state = 'open';
"""

DOWNGRADE = """
DROP INDEX gov.run_open;
DROP TABLE gov.alert_delivery, gov.operator_alert;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
