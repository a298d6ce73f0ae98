"""A past day is judged from what was stored or declared on it, and never touches what stands today."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from privacy_ops.errors import ConfigError, UserError
from privacy_ops.transfers import history, inventory, registry
from privacy_ops.transfers.publishing import publish

from tests.integration.test_transfer_inventory import NOW, Office, governed, office

__all__ = ["governed", "office"]  # fixtures

TODAY = ("gov.finding", "gov.finding_change", "gov.blocked_destination", "gov.block_list_renewal", "gov.registry_entry")
LATER = NOW + timedelta(days=5)


def standing(office: Office) -> list[list[Any]]:
    """Everything that a backfill must leave alone."""
    return [office.ask(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TODAY]


def run_day(office: Office, at: datetime) -> Any:
    """A scheduled run as far as its findings."""
    run = office.open(at)
    office.look(run)
    inventory.publish_findings(office.workspace, run)
    return run


def judge_again(office: Office, day: datetime, *, to_the_end: bool = False) -> tuple[Any, dict[str, Any]]:
    """A backfill over one day; returns run and what observing said."""
    run = office.open(LATER, run_type="backfill", logical=day)
    seen = office.look(run)
    inventory.publish_findings(office.workspace, run)
    if to_the_end:
        publish.write_outputs(office.workspace, run)
        publish.gate(office.workspace, run, now=LATER)
        publish.publish(office.workspace, run, now=LATER)
    return run, seen


def flows(office: Office, snapshot: int) -> list[Any]:
    return office.ask(
        "SELECT flow_key, place, facts, seen_by FROM gov.inventory_flow WHERE snapshot_id = :s ORDER BY flow_key",
        s=snapshot,
    )


def snapshot_of(office: Office, run: Any) -> Any:
    (row,) = office.ask("SELECT * FROM gov.inventory_snapshot WHERE run_id = :r", r=run.run_id)
    return row


def test_what_was_stored_on_the_day_is_judged_again_and_today_stays(office: Office) -> None:
    first = run_day(office, NOW)
    office.workspace.objects().client.delete_bucket(Bucket="imp-analytics-scratch")
    office.write("registry/transfers.yaml", "    owner: finance\n", "    owner: treasury\n")
    run_day(office, LATER - timedelta(hours=1))
    before = standing(office)

    run, seen = judge_again(office, NOW, to_the_end=True)
    stored, again = snapshot_of(office, first), snapshot_of(office, run)

    assert (seen["basis"], seen["judged_on"]) == ("stored", "2026-11-22")
    assert (again.source_snapshot_id, again.declared_at) == (stored.snapshot_id, stored.taken_at)
    assert flows(office, again.snapshot_id) == flows(office, stored.snapshot_id)
    assert again.findings == stored.findings
    assert "bucket:imp-analytics-scratch" in {f["asset"] for f in again.findings}
    assert standing(office) == before


def test_a_stored_day_is_judged_with_the_knowledge_of_that_day(office: Office) -> None:
    run_day(office, NOW)
    office.write(
        "reference/adequacy_instruments.csv",
        "UK-NZ,,UK,NZ,DPA 2018 Sch 21,FULL,,2020-12-31,,2020-12-31,,IN_FORCE",
        "UK-NZ,,UK,NZ,DPA 2018 Sch 21,FULL,,2020-12-31,,2020-12-31,2026-11-23,IN_FORCE",
    )  # from the day after on nobody knows of it any more
    _, seen = judge_again(office, NOW)
    asked = "SELECT v.verdict FROM gov.flow_verdict AS v JOIN gov.inventory_flow AS f USING (snapshot_id, flow_key)"
    asked += " WHERE v.snapshot_id = :s AND f.importer = 'tindertree' AND f.country = 'NZ' AND v.regime = 'UK'"

    assert [r.verdict for r in office.ask(asked, s=seen["snapshot_id"])] == ["COVERED"]
    run = office.open(LATER)
    assert [r.verdict for r in office.ask(asked, s=office.look(run)["snapshot_id"])] == ["UNCOVERED"]


def test_a_day_without_snapshot_is_judged_from_what_was_declared_then(office: Office) -> None:
    run_day(office, NOW)
    office.write("registry/transfers.yaml", "  helpdesk:\n", "  desk:\n")
    run_day(office, NOW + timedelta(days=3))
    before = standing(office)

    run, seen = judge_again(office, NOW + timedelta(days=1))
    declared = {f.facts["transfer_id"] for f in flows(office, snapshot_of(office, run).snapshot_id)}

    assert seen["basis"] == "declared_then"
    assert "helpdesk" in declared
    assert "desk" not in declared
    assert standing(office) == before


def test_before_anything_was_recorded_today_s_declarations_stand_in_by_their_own_dates(office: Office) -> None:
    office.write(
        "registry/transfers.yaml",
        "  helpdesk:\n    importer: tindertree\n",
        "  helpdesk:\n    declared_from: 2025-06-02\n    importer: tindertree\n",
    )
    run_day(office, NOW)
    _, seen = judge_again(office, datetime(2025, 6, 1, 9, 0, tzinfo=UTC))
    _, next_day = judge_again(office, datetime(2025, 6, 2, 9, 0, tzinfo=UTC))

    def has(said: dict[str, Any]) -> bool:
        return "helpdesk" in {f.facts["transfer_id"] for f in flows(office, said["snapshot_id"])}

    assert seen["basis"] == next_day["basis"] == "declared_now"
    assert (has(seen), has(next_day)) == (False, True)


def test_a_declaration_that_has_ended_is_no_declaration_today(office: Office) -> None:
    office.write(
        "registry/transfers.yaml",
        "  badge_scans:\n",
        "  badge_scans:\n    declared_until: 2026-11-21\n",
    )
    run_day(office, NOW)

    (found,) = office.ask("SELECT rule FROM gov.finding WHERE asset = 'bucket:imp-badge-scan-vendor'")
    assert found.rule == "undeclared_flow"


def test_only_what_changed_is_recorded(office: Office) -> None:
    run_day(office, NOW)
    rows = "SELECT section, name, body IS NULL AS gone FROM gov.registry_entry ORDER BY registry_entry_id"
    first = office.ask(rows)
    run_day(office, NOW + timedelta(days=1))
    assert office.ask(rows) == first

    office.write("registry/transfers.yaml", "  helpdesk:\n", "  desk:\n")
    run_day(office, NOW + timedelta(days=2))
    assert office.ask(rows)[len(first) :] == [("transfers", "desk", False), ("transfers", "helpdesk", True)]


def test_the_registry_can_be_edited_in_the_database(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = inventory.load_reference(office.include)
    edited = inventory.load_registry(office.include, tables)
    settings = SimpleNamespace(transfer_registry="database", include=office.include)
    with office.workspace.database("inventory").transaction() as connection:
        with pytest.raises(ConfigError, match="nothing is there"):
            inventory.current_registry(connection, settings, tables)  # type: ignore[arg-type]
        with pytest.raises(UserError, match="name of who"):
            history.record(connection, edited, at=NOW, by=" ")
        assert history.record(connection, edited, at=NOW, by="lena") > 60
        assert history.record(connection, edited, at=NOW, by="lena") == 0
        found = inventory.current_registry(connection, settings, tables)  # type: ignore[arg-type]
    assert found.sha256 == edited.sha256
    assert {s: dict(found.section(s)) for s in registry.SECTIONS} == {
        s: dict(edited.section(s)) for s in registry.SECTIONS
    }


def test_a_backfill_through_the_tasks_of_the_dag_touches_nothing_of_today(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.definitions._internal.contextmanager import _CURRENT_CONTEXT
    from privacy_ops.airflow_support import connections, jobs

    run_day(office, NOW)
    before = standing(office)
    file = Path(__file__).resolve().parents[2] / "dags" / "transfer_inventory_check.py"
    dag = DagBag(str(file)).dags["transfer_inventory_check"]
    monkeypatch.setattr(jobs, "settings_for", lambda *_duties: office.workspace.settings)
    monkeypatch.setattr(jobs, "utc_now", lambda: LATER)
    monkeypatch.setattr(connections, "configured_connections", lambda: (office.connections, ""))
    context = {
        "dag": dag,
        "run_id": "backfill__2026-11-22",
        "dag_run": SimpleNamespace(run_type="backfill", logical_date=NOW),
        "params": {"judge_on": None},
    }
    _CURRENT_CONTEXT.append(context)  # type: ignore[arg-type]
    try:
        said = {name: dag.get_task(name).python_callable() for name in ("open_run", "observe", "judge")}
        counts = dag.get_task("publish_findings").python_callable()
    finally:
        _CURRENT_CONTEXT.pop()

    assert said["observe"]["basis"] == "stored"
    assert said["observe"]["judged_on"] == "2026-11-22"
    assert said["judge"]["flows"] > 20
    assert counts == {"findings": said["judge"]["findings"], "superseded": False}
    assert standing(office) == before


def test_a_day_to_come_is_judged_from_what_is_declared_now(office: Office) -> None:
    run = office.open(run_type="manual")
    seen = office.look(run, judge_on=date(2031, 12, 28))

    assert (seen["basis"], snapshot_of(office, run).known_on) == ("declared_now", date(2026, 11, 22))
