"""A whole night on the synthetic publisher, judged by an oracle that shares no code with the job."""

from __future__ import annotations

from datetime import UTC, datetime

from privacy_ops import approvals, runs
from privacy_ops.erasure import release
from privacy_ops.workspace import Workspace

from sandbox.publisher import oracle
from sandbox.publisher.governance import plant_governance
from tests.conftest import Sandbox
from tests.integration import nights

NOW = datetime(2026, 11, 20, 2, 15, tzinfo=UTC)


def test_a_night_erases_exactly_whom_the_oracle_names(publisher: Sandbox) -> None:
    plant_governance(publisher.settings, publisher.truth_dsn, now=NOW, night=0)
    workspace = Workspace.load(publisher.settings)
    with workspace.database("detect").transaction() as connection:
        run = runs.open_run(
            connection,
            run_id="minor_data_deletion/night",
            dag_id="minor_data_deletion",
            now=NOW,
            run_type="scheduled",
            dry_run=False,
            thresholds_sha256=workspace.thresholds.sha256(),
            map_sha256=workspace.map_sha256,
        )
    made = nights.prepare(workspace, run, NOW)
    assert made["breaker_tripped"]  # so many of so few people: two of them look first
    request = release.breaker_request(workspace, run)
    assert request is not None
    with workspace.database("erase").transaction() as connection:
        for person in ("rosa", "ravi"):
            approvals.record(connection, run.run_id, request, approver=person, decision="approve", at=NOW)
    facts = {"plan": made} | nights.finish(workspace, run, NOW)
    found = oracle.score(publisher.truth_dsn, publisher.dsn, publisher.settings.objects, NOW)
    assert facts["verified"]["gates"] == ["pass"]
    assert found["must_erase"] == found["erased"] > 0
    assert found["canaries"] == found["canaries_erased"] == 1
    assert found["held"] == found["held_and_restricted"] == facts["plan"]["held"] == 2
    assert found["suspected_planted"] == found["suspected_found"] > 20
    assert found["flags_planted"] == found["flags_found"] == 4
    assert found["third_party_planted"] == 1
    assert found["child_rows_planted"] == 2
    assert {name: found[name] for name in oracle.MUST_BE_ZERO if found[name]} == {}
