"""Corrections: released figures that turned out wrong are counted again, as a revision beside the first.

A person asks for one (a number, a period, a reason that the recipients read); one run carries it out, through the same
gates and a person's approval. The first release stays in the register; what a reader is given from then on is the
newest revision. A published value may change by nothing or by 15 and more, or become withheld.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from privacy_ops.errors import UserError
from privacy_ops.runs import Run
from privacy_ops.stores.sql import statement
from privacy_ops.usage import periods
from privacy_ops.usage.periods import KINDS, Period


@dataclass(frozen=True)
class Correction:
    """One request. ``revision``: its number, higher than that of every request before it."""

    revision: int
    period: Period
    reason: str

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, and every one that it is counted into, the finest first: their numbers have to agree."""
        least = KINDS.index(self.period.kind)
        return tuple(p for p in periods.around(self.period.windows()[-1]) if KINDS.index(p.kind) >= least)


def request(connection: Connection, period: Period, *, reason: str, by: str, now: datetime) -> int:
    """Note that ``period`` is to be counted again; returns the number of the correction.

    Raises UserError when nothing of the period was released, or everything was withdrawn.
    """
    rows = connection.execute(statement("usage", "select_registered"), {"periods": [period.key]}).all()
    if all(row.withdrawn for row in rows):
        raise UserError(
            "nothing of this period is released, so there is nothing to correct",
            where=period.key,
            do="`python -m privacy_ops release list` shows what is; what was withdrawn stays withdrawn",
        )
    wanted = {"period_key": period.key, "reason": reason, "asked_by": by, "asked_at": now}
    return int(connection.execute(statement("usage", "insert_correction"), wanted).scalar_one())


def begin(connection: Connection, run: Run, revision: int, *, timezone: str, now: datetime) -> Correction:
    """Bind a correction to the run that carries it out. Raises UserError: no such request, or another run has it."""
    binding = {"revision": revision, "run_id": run.run_id, "begun_at": now}
    row = _row(connection, revision=revision)
    if row is None:
        raise UserError(
            "there is no such correction",
            where=f"Param correction, {revision}",
            do="ask for one with `python -m privacy_ops release correct PERIOD`; it answers with the number",
        )
    connection.execute(statement("usage", "insert_correction_run"), binding)
    row = _row(connection, revision=revision)
    if row is None or row.run_id != run.run_id:
        raise UserError(
            "another run carries this correction out",
            where=f"Param correction, {revision}",
            do="clear that run, or ask for a correction of its own: one that was refused is not tried again",
        )
    return Correction(int(row.revision), periods.from_key(str(row.period_key), timezone), str(row.reason))


def of_run(connection: Connection, run: Run, timezone: str) -> Correction | None:
    """The correction that a run carries out; None for an ordinary run."""
    row = _row(connection, run_id=run.run_id)
    if row is None:
        return None
    return Correction(int(row.revision), periods.from_key(str(row.period_key), timezone), str(row.reason))


def _row(connection: Connection, *, revision: int | None = None, run_id: str | None = None) -> Any:
    return connection.execute(
        statement("usage", "select_correction"), {"revision": revision, "run_id": run_id}
    ).one_or_none()
