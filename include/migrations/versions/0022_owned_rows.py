"""Rows that a duty may write: runs, verdicts and approvals of its own DAGs alone; what is published stays published.

A grant knows no rows. Without these triggers whoever watches the jobs could open a run of theirs, an export could pass
a gate of the deletion, and an inventory could be taken back after it was published.
"""

from alembic import op

revision = "0022_owned_rows"
down_revision = "0021_parts_held"
branch_labels = None
depends_on = None

UPGRADE = """
CREATE TABLE gov.run_writer (               -- whose runs, verdicts and approvals a duty may write
    dag_id text NOT NULL,                   -- what is not named here (a publisher's own DAG) any job may write
    role text NOT NULL,
    PRIMARY KEY (dag_id, role)
);
INSERT INTO gov.run_writer (dag_id, role) VALUES
    ('minor_data_deletion', 'privacy_detect'),
    ('minor_data_deletion', 'privacy_erase'),
    ('minor_signal_intake', 'privacy_detect'),
    ('minor_case_review', 'privacy_review'),
    ('erasure_verification', 'privacy_erase'),
    ('erasure_verification', 'privacy_detect'),
    ('erasure_propagation', 'privacy_erase'),
    ('restore_replay', 'privacy_erase'),
    ('course_usage_export', 'privacy_export'),
    ('course_usage_delivery', 'privacy_export'),
    ('transfer_inventory_check', 'privacy_inventory'),
    ('watchkeeper', 'privacy_operate');

-- Whether the role that asks may write rows of this DAG. The owner and an administrator are nobody's duty.
CREATE FUNCTION gov.writes_runs_of(dag text) RETURNS boolean LANGUAGE sql STABLE SET search_path = pg_catalog AS $$
    SELECT current_user NOT LIKE 'privacy\\_%' OR current_user = 'privacy_migrate'
        OR EXISTS (SELECT 1 FROM gov.run_writer AS w WHERE w.dag_id = dag AND w.role = current_user)
        OR (current_user <> 'privacy_operate' AND NOT EXISTS (SELECT 1 FROM gov.run_writer AS w WHERE w.dag_id = dag))
$$;
CREATE FUNCTION gov.refuse_run_of_others() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gov.writes_runs_of(NEW.dag_id) AND gov.writes_runs_of(split_part(NEW.run_id, '/', 1)) THEN
        RETURN NEW;
    END IF;
    -- Who tells that a task failed for good also says that the run is not open any more, and nothing else about it.
    IF TG_OP = 'UPDATE' AND current_user = 'privacy_operate' AND OLD.state = 'open' AND NEW.state = 'failed'
        AND NEW.facts = OLD.facts THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the runs of % are not written by %', NEW.dag_id, current_user
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER own_runs BEFORE INSERT OR UPDATE ON gov.run
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_run_of_others();
CREATE FUNCTION gov.refuse_word_on_run_of_others() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF gov.writes_runs_of(split_part(NEW.run_id, '/', 1)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a run of % is not judged or approved by %', split_part(NEW.run_id, '/', 1), current_user
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER own_runs BEFORE INSERT ON gov.gate_result
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_word_on_run_of_others();
CREATE TRIGGER own_runs BEFORE INSERT ON gov.approval
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_word_on_run_of_others();

-- A published snapshot is not changed, taken back or deleted; writing the same again is no change.
CREATE FUNCTION gov.refuse_change_of_published_snapshot() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    IF OLD.published_at IS NOT NULL AND (TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD) THEN
        RAISE EXCEPTION 'the inventory is published and stays as it is';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER published_stays BEFORE UPDATE OR DELETE ON gov.inventory_snapshot
    FOR EACH ROW EXECUTE FUNCTION gov.refuse_change_of_published_snapshot();

-- Neither out of a published inventory nor into one.
CREATE OR REPLACE FUNCTION gov.refuse_change_of_published_inventory() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM gov.inventory_snapshot AS s
        WHERE s.published_at IS NOT NULL AND (
            (TG_OP <> 'INSERT' AND s.snapshot_id = OLD.snapshot_id)
            OR (TG_OP <> 'DELETE' AND s.snapshot_id = NEW.snapshot_id)
        )
    ) THEN
        RAISE EXCEPTION 'the inventory is published and stays as it is';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE FUNCTION gov.refuse_flow_of_published_inventory() RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM changed AS c INNER JOIN gov.inventory_snapshot AS s ON s.snapshot_id = c.snapshot_id
        WHERE s.published_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the inventory is published and stays as it is';
    END IF;
    RETURN NULL;
END $$;
"""
# The what-if page lists flows by place.
UPGRADE += "CREATE INDEX inventory_flow_place ON gov.inventory_flow (snapshot_id, place, flow_key);\n"
# By statement, not by row: an inventory may have a hundred thousand flows. UPDATE is granted to nobody.
_FLOWS = ("inventory_flow", "flow_verdict")
UPGRADE += "".join(
    f"CREATE TRIGGER published_stays_{event.lower()} AFTER {event} ON gov.{table} REFERENCING {side} TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_flow_of_published_inventory();\n"
    for table in _FLOWS
    for event, side in (("INSERT", "NEW"), ("DELETE", "OLD"))
)
# What is only ever added to, also for the owner.
_GROWS = ("certificate", "certificate_supplement", "finding_change")
UPGRADE += "".join(
    f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON gov.{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION gov.refuse_change();\n"
    for table in _GROWS
)

DOWNGRADE = "DROP INDEX gov.inventory_flow_place;\n"
DOWNGRADE += "".join(f"DROP TRIGGER append_only ON gov.{table};\n" for table in _GROWS)
DOWNGRADE += "".join(
    f"DROP TRIGGER published_stays_{event} ON gov.{table};\n" for table in _FLOWS for event in ("insert", "delete")
)
DOWNGRADE += """
DROP FUNCTION gov.refuse_flow_of_published_inventory();
CREATE OR REPLACE FUNCTION gov.refuse_change_of_published_inventory() RETURNS trigger LANGUAGE plpgsql
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
DROP TRIGGER published_stays ON gov.inventory_snapshot;
DROP FUNCTION gov.refuse_change_of_published_snapshot();
DROP TRIGGER own_runs ON gov.approval;
DROP TRIGGER own_runs ON gov.gate_result;
DROP TRIGGER own_runs ON gov.run;
DROP FUNCTION gov.refuse_word_on_run_of_others();
DROP FUNCTION gov.refuse_run_of_others();
DROP FUNCTION gov.writes_runs_of(text);
DROP TABLE gov.run_writer;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
