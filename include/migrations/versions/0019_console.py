"""Console: what people did on its pages, counts that it may read without the rows behind them, indexes for paging."""

from alembic import op

revision = "0019_console"
down_revision = "0018_privacy_draw"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.console_action (           -- who took or withdrew what; written before it happens
    action_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    action text NOT NULL CHECK (action IN ('certificate', 'pack', 'withdraw')),
    target text NOT NULL,                   -- id of the case or release
    person_id text NOT NULL CHECK (person_id <> ''), -- of a member of staff in Airflow
    person_name text NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX console_action_target ON gov.console_action (target, action_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.console_action
    FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();

-- Views run with the rights of their owner: the console reads these counts and none of the rows.
CREATE VIEW gov.ledger_state AS
SELECT
    l.seq AS entries,
    l.at AS newest_at,
    c.seq AS copied,
    c.copied_at,
    c.seq IS NOT NULL AND EXISTS (
        SELECT 1 FROM gov.erasure_ledger AS k WHERE k.seq = c.seq AND k.hash = c.hash
    ) AS copy_agrees
FROM (SELECT e.seq, e.at FROM gov.erasure_ledger AS e ORDER BY e.seq DESC LIMIT 1) AS l
LEFT JOIN (
    SELECT h.seq, h.hash, h.copied_at FROM gov.ledger_copy AS h ORDER BY h.copy_id DESC LIMIT 1
) AS c ON true;
CREATE VIEW gov.suppression_count AS
SELECT s.reason, s.block, s.id_type, count(*) AS entries, min(s.valid_until) AS first_ends
FROM gov.suppression_entry AS s
GROUP BY s.reason, s.block, s.id_type;
CREATE VIEW gov.canary_state AS
SELECT k.planted_at, k.expect, c.class, c.state, c.discovered_at, c.closed_at
FROM gov.canary AS k
LEFT JOIN LATERAL (
    SELECT m.class, m.state, m.discovered_at, m.closed_at FROM gov.minor_case AS m
    WHERE m.subject_ref = k.subject_ref ORDER BY m.discovered_at DESC LIMIT 1
) AS c ON true;

CREATE INDEX run_newest ON gov.run (dag_id, as_of DESC);
CREATE INDEX run_service_levels ON gov.run (as_of DESC) WHERE facts ? 'service_levels';
CREATE INDEX gate_result_gate ON gov.gate_result (gate, gate_result_id DESC);
CREATE INDEX gate_result_verdict ON gov.gate_result (verdict, gate_result_id DESC);
CREATE INDEX minor_case_age ON gov.minor_case (state, class, discovered_at);
CREATE INDEX minor_case_due ON gov.minor_case (review_due) WHERE state NOT IN ('CLOSED', 'CLEARED');
CREATE INDEX certificate_newest ON gov.certificate (issued_at DESC, case_id DESC);
CREATE INDEX release_register_newest ON gov.release_register (released_at DESC, release_id DESC);
CREATE INDEX release_register_of_recipient ON gov.release_register (recipient_id, released_at DESC, release_id DESC);
CREATE INDEX release_register_courses ON gov.release_register USING gin (entitlement jsonb_path_ops);
CREATE INDEX finding_due ON gov.finding (status, coalesce(due_on, 'infinity'), fingerprint);
CREATE INDEX inventory_snapshot_newest ON gov.inventory_snapshot (snapshot_id DESC)
    WHERE inventory_sha256 IS NOT NULL AND basis = 'observed';
CREATE INDEX finding_open_counts ON gov.finding (rule, severity, due_on) WHERE status = 'open';
CREATE INDEX inventory_flow_country ON gov.inventory_flow (snapshot_id, country);
CREATE INDEX flow_verdict_counts ON gov.flow_verdict (snapshot_id, regime, verdict);
CREATE INDEX flow_verdict_of ON gov.flow_verdict (snapshot_id, verdict, flow_key);
CREATE INDEX suppression_counts ON gov.suppression_entry (reason, block, id_type, valid_until);
CREATE INDEX downstream_counts ON gov.downstream_instruction (party, state, created_at);
CREATE INDEX return_finding_counts ON gov.return_finding (verdict, settled_at, found_at);
CREATE INDEX blocked_destination_now ON gov.blocked_destination (blocked_at DESC) WHERE lifted_at IS NULL;
"""

DOWNGRADE = """
DROP INDEX gov.return_finding_counts, gov.downstream_counts, gov.suppression_counts, gov.flow_verdict_of,
    gov.flow_verdict_counts, gov.inventory_flow_country, gov.finding_open_counts;
DROP INDEX gov.blocked_destination_now, gov.inventory_snapshot_newest, gov.finding_due, gov.release_register_courses,
    gov.release_register_of_recipient, gov.release_register_newest, gov.certificate_newest, gov.minor_case_due,
    gov.minor_case_age, gov.gate_result_verdict, gov.gate_result_gate, gov.run_service_levels, gov.run_newest;
DROP VIEW gov.canary_state, gov.suppression_count, gov.ledger_state;
DROP TABLE gov.console_action;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
