"""The figures that operators watch, by name. ``METRICS`` is the list: what is not in it is not measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from privacy_ops.minors import service_levels
from privacy_ops.operations.alerts import DUTY
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace


@dataclass(frozen=True)
class Metric:
    """A gauge: ``name`` as Airflow sends it (below its prefix), ``column`` where it comes from."""

    name: str
    column: str
    title: str


METRICS = (
    Metric("privacy_ops.people.restricted", "people_restricted", "people who are restricted now"),
    Metric("privacy_ops.people.erased", "people_erased", "people erased and certified, in all"),
    Metric("privacy_ops.cases.open", "cases_open", "cases that are not closed"),
    Metric("privacy_ops.residual.found", "residual_found", "rows and objects left by erasures of 28 days, last look"),
    Metric("privacy_ops.gates.blocked", "gates_blocked", "gates that block, 24 hours"),
    Metric("privacy_ops.gates.warned", "gates_warned", "gates that warn, 24 hours"),
    Metric("privacy_ops.gates.passed", "gates_passed", "gates that pass, 24 hours"),
    Metric("privacy_ops.releases.registered", "releases_registered", "releases, in all"),
    Metric("privacy_ops.releases.withdrawn", "releases_withdrawn", "releases withdrawn, in all"),
    *(
        Metric(f"privacy_ops.findings.{severity}", f"findings_{severity}", f"open findings: {severity}")
        for severity in ("critical", "high", "medium", "low", "info")
    ),
    Metric("privacy_ops.destinations.blocked", "destinations_blocked", "destinations on the block list"),
    Metric("privacy_ops.canaries.planted", "canaries_planted", "made-up people planted more than a day ago"),
    Metric("privacy_ops.canaries.missed", "canaries_missed", "of these, not found"),
    Metric("privacy_ops.alerts.untold", "alerts_untold", "alerts of 24 hours that no channel took"),
    *(
        Metric(f"privacy_ops.service_levels.m{n}_breached", f"m{n}", f"service level M{n}: over the limit")
        for n in range(1, 9)
    ),
    Metric("privacy_ops.watch.looked", "looked", "1 with each look: its absence is an alarm of its own"),
)


def measure(workspace: Workspace, *, now: datetime) -> Mapping[str, float]:
    """Every metric's value by its name."""
    levels = {level.metric.lower(): level.breached for level in service_levels.measure(workspace, now=now, duty=DUTY)}
    with workspace.database(DUTY).transaction(read_only=True) as connection:
        row = connection.execute(
            statement("operations", "select_figures"),
            {"day": now - timedelta(days=1), "month": now - timedelta(days=28)},
        ).one()
    found = {**row._mapping, **levels, "looked": 1}
    return {metric.name: float(found[metric.column]) for metric in METRICS}
