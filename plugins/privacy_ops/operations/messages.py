"""The words of a message to operators, made of codes alone: names of DAGs, gates and metrics, counts, links.

No text of an exception, no run conf and no name that a person gave a run gets in: what is not one of the forms that
Airflow or the jobs make themselves is replaced.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

# Made by the scheduler, by Airflow for a run by hand, by the intake, or by the watchkeeper.
_OWN_NAME = re.compile(
    r"(?:(?:scheduled|manual|backfill|asset_triggered|intake)__)+[0-9T:.+-]+(?:_[A-Za-z0-9]{1,12})?"
    r"|(?:due|levels)__[0-9T:.+-]+"
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_AT_MOST = 10

TITLES = {
    "failure": "failed",
    "gate_blocked": "blocked by a gate",
    "approval_waiting": "waits for a person",
    "late_start": "did not start in time",
    "late_finish": "did not finish in time",
    "service_level": "is over a service level",
}


@dataclass(frozen=True)
class Addresses:
    """Where links lead: ``airflow`` is the address of its UI, ``runbooks`` where docs/runbooks is served ("": path)."""

    airflow: str = ""
    runbooks: str = ""


@dataclass(frozen=True)
class Message:
    """One message: a subject, its lines, and the same as HTML for a mail."""

    subject: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join((self.subject, "", *self.lines))

    @property
    def as_html(self) -> str:
        body = "<br>\n".join(html.escape(line) for line in self.lines)
        return f"<p><strong>{html.escape(self.subject)}</strong></p>\n<p>{body}</p>"


def compose(kind: str, dag_id: str, alerts: Sequence[Any], addresses: Addresses) -> Message:
    """One message about ``alerts`` (rows of select_claimed.sql) of one kind and DAG; several are a digest."""
    dag = _code(dag_id)
    times = sum(row.times for row in alerts)
    digest = f" ({len(alerts)} times)" if len(alerts) > 1 else ""
    lines: list[str] = []
    for row in alerts[:_AT_MOST]:
        lines.extend(_about(row, dag, addresses))
    if len(alerts) > _AT_MOST:
        lines.append(f"… and {len(alerts) - _AT_MOST} more; Airflow lists them.")
    if kind == "approval_waiting":
        lines.append(
            f"{times} question(s) wait under Required Actions" + (f": {addresses.airflow}/required_actions" if
            addresses.airflow else ".") + " Nobody answering means no."
        )  # fmt: skip
    elif times > len(alerts):
        lines.append(f"It happened {times} times in all.")
    lines.append(f"Runbook: {addresses.runbooks or 'docs/runbooks'}/{dag}.md")
    return Message(f"[privacy operations] {dag} {TITLES[kind]}{digest}", tuple(lines))


def _about(row: Any, dag: str, addresses: Addresses) -> list[str]:
    """What happened in one run, and where to look."""
    name = str(row.run_id).partition("/")[2]
    known = _OWN_NAME.fullmatch(name) is not None
    what = f"{row.noted_at:%Y-%m-%d %H:%M} UTC: run {name if known else 'with a name of its own'}"
    if row.task:
        what += f", task {_code(row.task)}"
    if row.gate:
        what += f", gate {_code(row.gate)}"
    codes = [code for code in row.codes if _CODE.fullmatch(code)]
    if codes:
        what += ": " + ", ".join(codes)
    lines = [what]
    if addresses.airflow:
        run = f"/runs/{quote(name, safe='')}" if known and not name.startswith(("due__", "levels__")) else ""
        lines.append(f"Run: {addresses.airflow}/dags/{dag}{run}")
        if row.gate_result_id is not None:
            lines.append(f"Report: {addresses.airflow}/privacy/gates/{int(row.gate_result_id)}")
    return lines


def _code(name: str) -> str:
    return name if _CODE.fullmatch(name) else "(unnamed)"
