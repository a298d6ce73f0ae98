"""What the demo shows: counts read from ``gov``, beside what the ground truth expects. Never a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from privacy_ops import pseudonyms
from privacy_ops import settings as settings_of
from privacy_ops.stores.objects import ObjectStore

from sandbox import processors
from sandbox.airflow_api import DagRun
from sandbox.provision import GROUND_TRUTH, PUBLISHER
from sandbox.publisher import flows as flow_plants
from sandbox.publisher import oracle
from sandbox.publisher.database import connect
from sandbox.runtime import Runtime

RESTRICTED_WITHIN = 15  # minutes after the evidence came (M1, target)
Released = Mapping[str, tuple[tuple[str, str, str], ...]]  # release → (file, sha256, object version)


def _rows(runtime: Runtime, statement: str, *values: object, database: str = PUBLISHER) -> list[tuple[Any, ...]]:
    with connect(runtime.server.dsn(database)) as connection:
        return connection.execute(statement.encode(), values or None).fetchall()


def newest_night(runtime: Runtime) -> int:
    """0 after the first filling."""
    return int(_rows(runtime, "SELECT max(night) FROM truth.load WHERE publisher = 'imp'", database=GROUND_TRUTH)[0][0])


def deletions_done(runtime: Runtime) -> int:
    """Real runs of the deletion that came to their end."""
    statement = "SELECT count(*) FROM gov.run WHERE dag_id = 'minor_data_deletion' AND NOT dry_run AND state = 'done'"
    return int(_rows(runtime, statement)[0][0])


def is_registered(runtime: Runtime, night: int) -> bool:
    """Whether the holds, requests and canaries of all nights up to this one are in ``gov``, told by the canaries."""
    planted = "SELECT count(*) FROM truth.planted_subject WHERE publisher = 'imp' AND canary AND night <= %s"
    wanted = int(_rows(runtime, planted, night, database=GROUND_TRUTH)[0][0])
    return int(_rows(runtime, "SELECT count(*) FROM gov.canary")[0][0]) >= wanted


def released_objects(runtime: Runtime) -> Released:
    """What stands in the exports bucket for each registered release: files, hashes of their bytes, versions.

    Read from the object store, not from the register, so that a rewritten file is seen.
    """
    store, bucket = ObjectStore(runtime.object_settings), "imp-exports"
    found: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for release, prefix in _rows(runtime, "SELECT release_id, object_prefix FROM gov.release_register"):
        versions = sorted(store.versions(bucket, prefix), key=lambda v: (v.key, v.version_id))
        found[release] = tuple(
            (v.key.removeprefix(prefix), sha256(store.get(bucket, v.key)).hexdigest(), v.version_id) for v in versions
        )
    return found


def newest_exported_week(runtime: Runtime) -> str | None:
    """For example 2026-W46: of the newest run that came to its end, whether a period closed with its week or not."""
    return _rows(
        runtime,
        "SELECT max(facts ->> 'iso_week') FROM gov.run WHERE dag_id = 'course_usage_export' AND state = 'done'",
    )[0][0]


def newest_release(runtime: Runtime) -> str | None:
    """Id of the release that was registered last."""
    found = _rows(runtime, "SELECT release_id FROM gov.release_register ORDER BY released_at DESC LIMIT 1")
    return str(found[0][0]) if found else None


def next_older_week(runtime: Runtime) -> str | None:
    """The ISO week before the oldest that was exported; None before any was."""
    statement = "SELECT min(facts ->> 'iso_week') FROM gov.run WHERE dag_id = 'course_usage_export' AND state = 'done'"
    oldest = _rows(runtime, statement)[0][0]
    if oldest is None:
        return None
    year, week = oldest.split("-W")
    return f"{date.fromisocalendar(int(year), int(week), 1) - timedelta(weeks=1):%G-W%V}"


def copy_packs(runtime: Runtime, folder: Path) -> int:
    """Copy every released pack to ``folder`` (product/recipient/period); returns the number of files."""
    store, count = ObjectStore(runtime.object_settings), 0
    for prefix, product, recipient, period in _rows(
        runtime, "SELECT object_prefix, product, recipient_id, period_key FROM gov.release_register"
    ):
        for key in store.keys("imp-exports", prefix):
            target = folder / product / recipient / period / Path(key).name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.get("imp-exports", key))
            count += 1
    return count


def copy_inventory(runtime: Runtime, folder: Path) -> int:
    """Copy the outputs of the newest published inventory to ``folder``; returns the number of files."""
    rows = _rows(
        runtime,
        "SELECT name, body FROM gov.inventory_output WHERE snapshot_id = (SELECT snapshot_id FROM"
        " gov.inventory_snapshot WHERE basis = 'observed' AND published_at IS NOT NULL ORDER BY taken_at DESC LIMIT 1)",
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in rows:
        (folder / name).write_bytes(bytes(body))
    return len(rows)


def _gates(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, dict[str, int]]:
    names = [f"{run.dag_id}/{run.run_id}" for run in runs]
    found: dict[str, dict[str, int]] = {}
    for gate, verdict, number in _rows(
        runtime,
        "SELECT gate, verdict, count(*) FROM gov.gate_result WHERE run_id = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2",
        names,
    ):
        found.setdefault(gate, {})[verdict] = number
    return found


def _common(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    return {
        "runs": [{"run_id": run.run_id, "type": run.run_type, "state": run.state} for run in runs],
        "gates": _gates(runtime, runs),
    }


def minors(runtime: Runtime, runs: Sequence[DagRun], night: int) -> dict[str, Any]:
    """Facts of the deletion, scored by an oracle that judges the planted truth at the run's as-of."""
    run_id = f"{runs[-1].dag_id}/{runs[-1].run_id}"
    (as_of,) = _rows(runtime, "SELECT as_of FROM gov.run WHERE run_id = %s", run_id)[0]
    scored = oracle.score(
        runtime.server.dsn(GROUND_TRUTH),
        runtime.server.dsn(PUBLISHER),
        runtime.object_settings,
        as_of=as_of,
        night=night,
        confirmed=confirmed_people(runtime),
    )
    detected, rows, suspect = _rows(
        runtime,
        "SELECT count(*) FILTER (WHERE class = 'CONFIRMED_MINOR' AND subject_kind = 'person'),"
        " count(*) FILTER (WHERE class = 'CONFIRMED_MINOR' AND subject_kind = 'row'),"
        " count(*) FILTER (WHERE class = 'SOURCE_SUSPECT')"
        " FROM gov.minor_case WHERE opened_by_run = %s",
        run_id,
    )[0]
    return {
        **_common(runtime, runs),
        "detected": detected,
        "detected_child_rows": rows,
        "source_suspect": suspect,
        "third_party_found": scored["third_party_planted"]
        - sum(n for what, n in scored["rows_misjudged_by_table"].items() if what.endswith("quarantined")),
        "not_in_scope": _run_facts(runtime, runs).get("detection", {}).get("not_in_scope", {}),
        **scored,
    }


def intake(runtime: Runtime, runs: Sequence[DagRun], night: int) -> dict[str, Any]:
    """What came in between two nights: whether one run of the intake restricted it, and what the erasure that this run
    started left of the confirmed. ``night`` is the load that was planted by day; ``runs`` the intake's, then its own
    erasure's."""
    taken = f"{runs[0].dag_id}/{runs[0].run_id}"
    (as_of,) = _rows(runtime, "SELECT as_of FROM gov.run WHERE run_id = %s", taken)[0]
    scored = oracle.score(
        runtime.server.dsn(GROUND_TRUTH),
        runtime.server.dsn(PUBLISHER),
        runtime.object_settings,
        as_of=as_of,
        night=night,
        confirmed=confirmed_people(runtime),
    )
    opened, restricted, worst = _rows(
        runtime,
        "SELECT count(*), count(restricted_at),"
        " coalesce(ceil(max(extract(epoch FROM restricted_at - evidence_at)) / 60), 0)::int"
        " FROM gov.minor_case WHERE opened_by_run = %s",
        taken,
    )[0]
    certified = _rows(
        runtime,
        "SELECT count(*) FROM gov.certificate JOIN gov.minor_case USING (case_id) WHERE opened_by_run = %s",
        taken,
    )[0][0]
    return {
        **_common(runtime, runs),
        "planted_confirmed": scored["planted_confirmed"],
        "planted_suspected": scored["suspected_planted"],
        "detected": opened,
        "restricted": restricted,
        "minutes_to_restriction": worst,
        "suspected_found": scored["suspected_found"],
        "erased": scored["erased"],
        "certified": certified,
        **{name: scored[name] for name in oracle.MUST_BE_ZERO},
    }


def watch(runtime: Runtime, runs: Sequence[DagRun], said: Mapping[str, Any]) -> dict[str, Any]:
    """What the watchkeeper ``said`` of its look, beside the alerts that it noted and the levels that the night measured
    over their limit."""
    run_id = f"{runs[-1].dag_id}/{runs[-1].run_id}"
    noted = _rows(
        runtime,
        "SELECT count(*) FROM gov.operator_alert AS a, gov.run AS r WHERE r.run_id = %s AND a.noted_at >= r.as_of"
        " AND a.kind IN ('late_start', 'late_finish', 'service_level')",
        run_id,
    )[0][0]
    (levels,) = _rows(
        runtime,
        "SELECT facts -> 'service_levels' FROM gov.run WHERE facts ? 'service_levels' ORDER BY as_of DESC LIMIT 1",
    )[0]
    state = _rows(runtime, "SELECT state FROM gov.run WHERE run_id = %s", run_id)[0][0]
    return {
        **_common(runtime, runs),
        "closed": state == "done",
        "late": said["late"],
        "breached": said["breached"],
        "breached_by_the_night": sum(bool(level["breached"]) for level in levels.values()),
        "new": said["new"],
        "noted": noted,
        "channels": said["channels"],
    }


def _run_facts(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    """What the newest run wrote down about itself."""
    found = _rows(runtime, "SELECT facts FROM gov.run WHERE run_id = %s", f"{runs[-1].dag_id}/{runs[-1].run_id}")
    return dict(found[0][0]) if found else {}


def reviews(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    """What people decided, and how many cases wait for them."""
    confirmed, waiting = _rows(
        runtime,
        "SELECT count(*) FILTER (WHERE decision = 'CONFIRMED'), count(*) FILTER (WHERE decision IS NULL"
        " AND state IN ('OPEN', 'RESTRICTED', 'IN_REVIEW') AND class <> 'CONFIRMED_MINOR') FROM gov.minor_case",
    )[0]
    return {**_common(runtime, runs), "confirmed": confirmed, "waiting": waiting}


def propagation(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    """What processors and recipients were told and answered; ``received`` is what their endpoint counted itself."""
    told, acknowledged, shared = _rows(
        runtime,
        "SELECT count(*), count(*) FILTER (WHERE state = 'acknowledged'),"
        " count(*) FILTER (WHERE state = 'undeliverable' AND reason = 'ONLY_SHARED') FROM gov.downstream_instruction",
    )[0]
    received = processors.received(runtime.state.ports["processors"]) or {}
    return {
        **_common(runtime, runs),
        "instructions": told,
        "acknowledged": acknowledged,
        # Known to the party only by something that is somebody else's too: told to nobody, left to people.
        "left_to_people": shared,
        "received": sum(received.values()),
        "received_by_party": received,
    }


def verification(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    """What the sweep after the erasures looked at and found."""
    sweep = _run_facts(runtime, runs).get("sweep", {})
    return {**_common(runtime, runs), "sweep": {name: n for name, n in sweep.items() if isinstance(n, int) and n}}


def confirmed_cases(runtime: Runtime) -> int:
    """How many cases people have confirmed so far."""
    return int(_rows(runtime, "SELECT count(*) FROM gov.minor_case WHERE decision = 'CONFIRMED'")[0][0])


def confirmed_people(runtime: Runtime) -> dict[str, datetime]:
    """Planted people whom people confirmed, by key, with the time of the decision.

    Found by reference under every key: of an erased case nothing else is left.
    """
    keys = settings_of.from_environment(runtime.project_environment()).keys
    decided = dict(
        _rows(
            runtime,
            "SELECT subject_ref, decided_at FROM gov.minor_case WHERE decision = 'CONFIRMED'"
            " AND subject_kind = 'person'",
        )
    )
    planted = _rows(
        runtime, "SELECT user_key FROM truth.planted_subject WHERE publisher = 'imp'", database=GROUND_TRUTH
    )
    found = {}
    for (key,) in planted:
        for reference in pseudonyms.references_all_keys(keys, "ledger", pseudonyms.subject_text((key,))):
            if reference.value in decided:
                found[key] = decided[reference.value]
    return found


def exports(runtime: Runtime, runs: Sequence[DagRun], released_before: Released) -> dict[str, Any]:
    """Facts of the export; ``bytes_identical_on_rerun`` compares every earlier file with what stands there now."""
    now = released_objects(runtime)
    (recipients, weeks, rows, withheld) = _rows(
        runtime,
        "SELECT count(DISTINCT recipient_id), count(DISTINCT iso_week), coalesce(sum(n_rows), 0)::int,"
        " coalesce(sum(n_withheld), 0)::int FROM gov.release_register",
    )[0]
    return {
        **_common(runtime, runs),
        "releases": len(now),
        "files": sum(map(len, now.values())),
        "recipients": recipients,
        "released_weeks": weeks,
        "cells": rows,
        "cells_withheld": withheld,
        "bytes_identical_on_rerun": bool(released_before)
        and all(now.get(release) == files for release, files in released_before.items()),
    }


def transfers(runtime: Runtime, runs: Sequence[DagRun]) -> dict[str, Any]:
    """Facts of the newest inventory; planted flows count as found when an open finding names their place."""
    run_id = f"{runs[-1].dag_id}/{runs[-1].run_id}"
    (flows,) = _rows(
        runtime,
        "SELECT count(*) FROM gov.inventory_flow JOIN gov.inventory_snapshot USING (snapshot_id) WHERE run_id = %s",
        run_id,
    )[0]
    verdicts: dict[str, Counter[str]] = {"UK": Counter(), "EU": Counter()}
    for regime, verdict in _rows(
        runtime,
        "SELECT regime, verdict FROM gov.flow_verdict JOIN gov.inventory_snapshot USING (snapshot_id)"
        " WHERE run_id = %s",
        run_id,
    ):
        verdicts[regime][verdict] += 1
    planted = dict(_rows(runtime, "SELECT place, declared FROM truth.planted_flow", database=GROUND_TRUTH))
    alarms = {
        asset
        for (asset,) in _rows(
            runtime,
            "SELECT DISTINCT asset FROM gov.finding WHERE status = 'open' AND rule = ANY(%s)",
            list(flow_plants.FOUND_BY),
        )
    }
    hidden = {place for place, declared in planted.items() if not declared}
    return {
        **_common(runtime, runs),
        "flows": flows,
        "verdicts_UK": dict(sorted(verdicts["UK"].items())),
        "verdicts_EU": dict(sorted(verdicts["EU"].items())),
        "findings": dict(
            _rows(
                runtime, "SELECT severity, count(*) FROM gov.finding WHERE status = 'open' GROUP BY severity ORDER BY 1"
            )
        ),
        "blocked_destinations": _rows(
            runtime, "SELECT count(DISTINCT destination) FROM gov.blocked_destination WHERE lifted_at IS NULL"
        )[0][0],
        "outputs": _rows(
            runtime,
            "SELECT count(*) FROM gov.inventory_output JOIN gov.inventory_snapshot USING (snapshot_id)"
            " WHERE run_id = %s AND object_key IS NOT NULL",
            run_id,
        )[0][0],
        "undeclared_planted": len(hidden),
        "undeclared_found": len(hidden & alarms),
        "declared_lookalikes": len(planted) - len(hidden),
        "false_alarms": len(alarms - hidden),
    }


def summary(
    runtime: Runtime,
    runs: Mapping[str, Sequence[DagRun]],
    *,
    night: int,
    started: datetime,
    released_before: Released,
    watched: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything that ``summary.json`` holds, but for what was left open and the failures."""
    return {
        "started": started.isoformat(timespec="seconds"),
        "night": night,
        "jobs": {
            "transfer_inventory_check": transfers(runtime, runs["transfer_inventory_check"]),
            "minor_data_deletion": minors(runtime, runs["minor_data_deletion"], night),
            "minor_signal_intake": intake(runtime, runs["minor_signal_intake"], newest_night(runtime)),
            "minor_case_review": reviews(runtime, runs["minor_case_review"]),
            "erasure_propagation": propagation(runtime, runs["erasure_propagation"]),
            "erasure_verification": verification(runtime, runs["erasure_verification"]),
            "course_usage_export": exports(runtime, runs["course_usage_export"], released_before),
            "watchkeeper": watch(runtime, runs["watchkeeper"], watched),
        },
    }


def _of_the_day(taken: Mapping[str, Any], watched: Mapping[str, Any]) -> list[str]:
    """What is wrong with the intake between two nights, and with what the watchkeeper says."""
    wrong = [f"minor_signal_intake: {name} is {taken[name]}, not 0" for name in oracle.MUST_BE_ZERO if taken[name]]
    planted = taken["planted_confirmed"] + taken["planted_suspected"]
    if not taken["planted_confirmed"] or not taken["planted_suspected"]:
        wrong.append("minor_signal_intake: nothing was planted, so nothing is proven")
    if not planted == taken["detected"] == taken["restricted"]:
        wrong.append("minor_signal_intake: one run did not find and restrict what came in by day")
    if taken["minutes_to_restriction"] > RESTRICTED_WITHIN:
        wrong.append(f"minor_signal_intake: somebody was restricted later than {RESTRICTED_WITHIN} minutes")
    if not taken["planted_confirmed"] == taken["erased"] == taken["certified"]:
        wrong.append("minor_signal_intake: the erasure that it started did not erase and certify whom it confirmed")
    if not watched["closed"]:
        wrong.append("watchkeeper: its run was not closed")
    if watched["new"] != watched["noted"] or watched["breached"] != watched["breached_by_the_night"]:
        wrong.append("watchkeeper: what it noted is not what stands")
    return wrong


def disagreements(found: Mapping[str, Any]) -> list[str]:
    """Facts that are not what the ground truth says; each is a failure of the demo."""
    minors_found = found["jobs"]["minor_data_deletion"]
    exported = found["jobs"]["course_usage_export"]
    transferred = found["jobs"]["transfer_inventory_check"]
    wrong = [
        f"minor_data_deletion: {name} is {minors_found[name]}, not 0"
        for name in oracle.MUST_BE_ZERO
        if minors_found[name]
    ]
    for what in ("suspected", "flags", "third_party"):
        if minors_found[f"{what}_found"] != minors_found[f"{what}_planted"]:
            wrong.append(f"minor_data_deletion: {what}: what was found is not what was planted")
    if minors_found["not_in_scope"]:
        wrong.append("minor_data_deletion: a source that the map names was not read")
    wrong += _of_the_day(found["jobs"]["minor_signal_intake"], found["jobs"]["watchkeeper"])
    if not found["jobs"]["minor_case_review"]["confirmed"]:
        wrong.append("minor_case_review: two people answered, and no case was decided")
    told = found["jobs"]["erasure_propagation"]
    answered = told["acknowledged"] + told["left_to_people"]
    if not told["acknowledged"] or answered != told["instructions"] or told["acknowledged"] > told["received"]:
        wrong.append("erasure_propagation: not everybody was told and has answered")
    if found["jobs"]["erasure_verification"]["sweep"].get("returned"):
        wrong.append("erasure_verification: somebody who was erased came back")
    if not minors_found["planted_confirmed"]:
        wrong.append("minor_data_deletion: nothing was planted, so nothing is proven")
    if minors_found["detected"] != minors_found["planted_confirmed"]:
        wrong.append("minor_data_deletion: what was detected is not what was planted")
    if minors_found["erased"] + minors_found["held"] != minors_found["planted_confirmed"]:
        wrong.append("minor_data_deletion: erased and held do not add up to what was planted")
    if not exported["bytes_identical_on_rerun"]:
        wrong.append("course_usage_export: a released week does not have the same bytes any more")
    if not exported["cells"] > exported["cells_withheld"]:
        wrong.append("course_usage_export: nothing but withheld cells was released")
    if transferred["undeclared_found"] != transferred["undeclared_planted"] or not transferred["undeclared_planted"]:
        wrong.append("transfer_inventory_check: not every planted undeclared flow was found")
    if not transferred["outputs"]:
        wrong.append("transfer_inventory_check: nothing was published")
    if transferred["false_alarms"]:
        wrong.append("transfer_inventory_check: it calls undeclared what is declared")
    return wrong
