"""Gates before and after detection: can a source be trusted, and do the detectors see at all?

A source that fails is left out of this run and marked; detection and restriction go on with the others. The
detection gate is judged after the restrictions are committed: it can stop an erasure, never a restriction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import EvidenceColumn, columns, readable
from privacy_ops.errors import GateBlocked
from privacy_ops.gates import runner
from privacy_ops.gates.suite import Suite, at_least, at_most, one_row
from privacy_ops.minors.age import civil_date
from privacy_ops.minors.sources import Builder
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

DETECTION_GATE = "minors.detection"
_UNREADABLE: Mapping[str, Any] = MappingProxyType({
    "unreadable": 1, "rows": 0, "nulls": 0, "parsed": 0, "placeholders": 0, "peak": 0, "daily_median": None,
    "over_represented": [], "newest_row_at": None, "minors": 0, "stated": 0,
})  # fmt: skip
_ODD_VALUES = 2  # that nobody can read: they are somebody's fancy, not a format that changed
RUNBOOK = "docs/runbooks/minor_data_deletion.md"


def source_gate(source: str) -> str:
    """Name of the gate of one source."""
    return f"minors.source.{source}"


def source_suite(source: str, limits: Thresholds, *, dates: bool = True) -> Suite:
    """Whether one source can be trusted tonight. ``dates``: it holds dates of birth.

    Volumes of other sources (tickets, answers, lists) rise and fall by themselves: they only warn.
    """
    quality = limits.source_quality
    return Suite(
        source_gate(source),
        f"Dates of birth in {source} can be trusted" if dates else f"What {source} says of ages can be trusted",
        (
            one_row(),
            at_most(
                "G-03",
                "The database has the columns that the map reads it by",
                "unreadable",
                0,
                do="run `map check`: nobody is judged by this source until map and database agree",
            ),
            at_most(
                "G-02-EMPTY",
                "A source that should have rows has some",
                "unexpectedly_empty",
                0,
                do="find out why the table is empty; nothing was judged from it",
            ),
            at_most(
                "G-02-VOLUME",
                f"The number of rows is within {quality.volume_band:.0%} of its median of 28 days",
                "volume_deviation",
                quality.volume_band,
                severity="critical" if dates else "warning",
                do="look for a load that failed or ran twice",
            ),
            at_most(
                "G-02-BASELINE",
                f"There are {limits.breaker.min_history_runs} earlier runs to compare with",
                "baseline_missing",
                0,
                severity="warning",
                do="no baseline yet: the volume is not compared until enough nights have run",
            ),
            at_least(
                "G-04-PARSE",
                "What is filled in can be read",
                "parse_rate",
                quality.min_parse_rate,
                do="look at the feed's format: who cannot be read is passed over, so nobody is erased by this source",
            ),
            at_most(
                "G-04-NULLS",
                "The share of empty values is within its band",
                "null_rate",
                quality.max_null_rate,
                severity="warning",
                do="a form may have lost its field",
            ),
            at_most(
                "G-05",
                "No single date stands for a large share of the people",
                "single_date_share",
                quality.max_single_date_share,
                do="a feed or form writes one date for everybody: its people are not judged from it tonight",
            ),
            at_most(
                "G-05-MINORS",
                f"In no feed more than {quality.max_minor_share:.0%} of the people are under age",
                "minor_share",
                quality.max_minor_share,
                do="so many children are a broken feed until a person has looked: nobody is locked or erased by it",
            ),
            at_most(
                "G-01",
                f"The newest row is at most {quality.fresh_hours} hours old",
                "newest_row_age_hours",
                quality.fresh_hours,
                severity="warning",
                do="ask whether the feed still runs",
            ),
        ),
        RUNBOOK,
    )


def detection_suite() -> Suite:
    """Whether detection saw anything: zero work is suspicious."""
    return Suite(
        DETECTION_GATE,
        "The detectors see",
        (
            one_row(),
            at_least("G-01-SOURCES", "At least one source was read", "sources", 1, do="mend the sources"),
            at_most(
                "G-01-EXCLUDED",
                "No source was left out",
                "sources_excluded",
                0,
                severity="warning",
                do="read the gate of that source; people seen only there were not judged",
            ),
            at_least(
                "G-02-CANDIDATES",
                "At least one value anywhere was worth a second look",
                "candidates",
                1,
                severity="warning",
                do="sources with rows and not one date near or below 18: look whether a column changed its meaning",
            ),
            at_least(
                "CANARY-PLANTED",
                "A made-up minor was planted",
                "canaries_planted",
                1,
                severity="warning",
                do="plant canaries: without one nobody knows whether the detectors see",
            ),
            at_most(
                "CANARY-FOUND",
                "Every made-up minor was found",
                "canaries_missing",
                0,
                do="a detector is blind: nothing is erased until it sees again",
            ),
        ),
        RUNBOOK,
    )


def source_metrics(
    row: Mapping[str, Any], history: Mapping[str, Any], *, expect_rows: bool, at: datetime, limits: Thresholds
) -> dict[str, float]:
    """The figures that ``source_suite`` judges. Pure."""
    unreadable = bool(row.get("unreadable"))
    rows, nulls, parsed = int(row["rows"]), int(row["nulls"]), int(row["parsed"])
    filled = rows - nulls
    enough = int(history["runs"]) >= limits.breaker.min_history_runs and bool(history["median_rows"])
    comparable = enough and not unreadable
    newest: datetime | None = row["newest_row_at"]
    # A handful of equal dates is chance; below the row limit of form defaults nothing is concluded.
    peak = int(row["peak"]) if int(row["peak"]) >= limits.default_dates.frequent_min_rows else 0
    # Nor from a few children among few people.
    minors = int(row["minors"]) if int(row["minors"]) >= limits.source_quality.min_minors else 0
    return {
        "unreadable": float(unreadable),
        "unexpectedly_empty": float(expect_rows and rows == 0 and not unreadable),
        "volume_deviation": round(abs(rows / float(history["median_rows"]) - 1), 9) if comparable else 0.0,
        "baseline_missing": float(not enough),
        "parse_rate": parsed / filled if filled - parsed > _ODD_VALUES else 1.0,
        "null_rate": nulls / rows if rows else 0.0,
        "single_date_share": peak / filled if filled else 0.0,
        "minor_share": minors / int(row["stated"]) if minors else 0.0,
        "newest_row_age_hours": max((at - newest).total_seconds() / 3600, 0.0) if newest else 0.0,
    }


def check_sources(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Judge every source of age evidence and record what it held; returns counts by verdict.

    Stops nobody: where no source can be trusted, everybody whom they show is still taken out of use, softly, and the
    detection gate is red afterwards. Raises GateBlocked only when the map names no evidence at all.
    """
    limits = workspace.thresholds
    verdicts: dict[str, str] = {}
    with workspace.database("detect").transaction() as connection:
        live = catalogue.read(connection)
        builder = Builder(readable(workspace.data_map, live), live)
        stands = {source.name for source in columns(builder.map)}
        for source in columns(workspace.data_map):
            row = _observe(connection, builder, source, workspace, run) if source.name in stands else _UNREADABLE
            verdicts[source.name] = _check_source(connection, source, row, workspace, run)
    if not verdicts:
        raise GateBlocked("the data map names no evidence of age", where=run.run_id, do="add evidence to the data map")
    blocked = sorted(name for name, verdict in verdicts.items() if verdict == "block")
    counts = {v: sum(1 for found in verdicts.values() if found == v) for v in ("pass", "warn", "block")}
    return {"sources": counts, "excluded": blocked, "leap_rule": limits.leap_rule}


def _observe(
    connection: Connection, builder: Builder, source: EvidenceColumn, workspace: Workspace, run: Run
) -> dict[str, Any]:
    limits = workspace.thresholds
    defaults = limits.default_dates
    return dict(
        connection
        .execute(
            text(builder.quality(source)),
            {
                "always": [d.isoformat() for d in defaults.always],
                "when_frequent": [d.isoformat() for d in defaults.when_frequent],
                "frequent_min_rows": defaults.frequent_min_rows,
                "frequent_factor": defaults.frequent_factor,
                "on": civil_date(run.as_of, limits.legal_timezone),
                "as_of": run.as_of,
                "adult_age": limits.adult_age,
                "min_minors": limits.source_quality.min_minors,
                "min_minors_share": limits.source_quality.min_minors_share,
            },
        )
        .mappings()
        .one()
    )


def _check_source(
    connection: Connection, source: EvidenceColumn, row: Mapping[str, Any], workspace: Workspace, run: Run
) -> str:
    limits = workspace.thresholds
    history = dict(
        connection
        .execute(
            statement("minors", "select_source_history"),
            {
                "source": source.name,
                "run_id": run.run_id,
                "at": run.as_of,
                "days": limits.breaker.median_days,
            },
        )
        .mappings()
        .one()
    )
    metrics = source_metrics(
        row,
        history,
        expect_rows=workspace.data_map.tables[source.table].expect_rows,
        at=run.as_of,
        limits=limits,
    )
    verdict = _judge(source_suite(source.name, limits, dates=source.dates), metrics, run, limits)
    runner.record(connection, verdict)
    connection.execute(
        statement("minors", "insert_source_observation"),
        {
            "run_id": run.run_id,
            "source": source.name,
            "at": run.as_of,
            "dry_run": run.dry_run,
            "verdict": verdict.verdict,
            **row,
        },
    )
    return verdict.verdict


def judge_detection(workspace: Workspace, run: Run, counts: Mapping[str, Any]) -> dict[str, Any]:
    """Judge what ``detect_and_restrict`` reported, after its commit. Raises GateBlocked; returns the verdict.

    In a rehearsal no cases exist, so canaries are not asked for.
    """
    with workspace.database("detect").transaction() as connection:
        planted, missing = connection.execute(statement("minors", "count_canaries"), {"as_of": run.as_of}).one()
        metrics = {
            "sources": counts["sources"],
            "sources_excluded": counts["sources_excluded"],
            "candidates": sum(counts["candidates"].values()),
            "canaries_planted": planted,
            "canaries_missing": 0 if counts["rehearsal"] else missing,
        }
        verdict = _judge(detection_suite(), metrics, run, workspace.thresholds)
        gate_result_id = runner.record(connection, verdict)
    runner.raise_if_blocked(verdict, gate_result_id)
    return {"gate": verdict.verdict, "gate_result_id": gate_result_id}


def _judge(suite: Suite, metrics: Mapping[str, float], run: Run, limits: Thresholds) -> runner.Verdict:
    import pandas as pd

    return runner.judge(
        suite,
        pd.DataFrame([dict(metrics)]),
        run_id=run.run_id,
        subject_sha256=hashlib.sha256(json.dumps(dict(metrics), sort_keys=True).encode()).hexdigest(),
        judged_at=run.as_of,
        valid_for=timedelta(hours=limits.gate.validity_hours),
    )
