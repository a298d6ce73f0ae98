"""What processors say of those whom they use themselves (T-D4, T-D9), beside what was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement
from privacy_ops.transfers.observers.base import Note, Observation, blind
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry


class SubprocessorObserver:
    """The newest listing of each processor in ``gov.subprocessor_listing``, beside what was agreed."""

    name = "subprocessors"

    def __init__(
        self,
        database: Database,
        registry: Registry,
        reference: Reference,
        *,
        on: date,
        max_age_days: int,
    ) -> None:
        self._database, self._registry, self._reference, self._agreed = (
            database,
            registry,
            reference,
            registry.subprocessors,
        )
        self._on, self._max_age = on, max_age_days

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                rows = connection.execute(statement("transfers", "select_subprocessors"), {"today": self._on}).all()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        used = {t.importer for t in self._registry.transfers.values() if t.personal}
        processors = sorted(n for n in used if self._registry.processors[n].relationship == "PROCESSOR")
        if processors and not rows:
            return blind(self.name, "no processor's list of sub-processors is in gov.subprocessor_listing")
        return Observation(self.name, (), looked=True, notes=tuple(self._notes(rows, processors)))

    def _notes(self, rows: Sequence[Any], processors: Sequence[str]) -> Iterator[Note]:
        listed_on = {row.processor_id: row.listed_on for row in rows}
        for name in processors:
            if name not in listed_on:
                yield Note(
                    "subprocessors_not_listed",
                    "LOW",
                    f"processor:{name}",
                    "",
                    "its list of sub-processors is not on file",
                    "fetch the annex or page, and load it: python -m privacy_ops transfers load subprocessors FILE",
                )
            elif (self._on - listed_on[name]).days > self._max_age:
                yield Note(
                    "subprocessors_stale",
                    "LOW",
                    f"processor:{name}",
                    "",
                    f"its list of sub-processors is of {listed_on[name].isoformat()}",
                    "fetch the annex or page again, and load it",
                )
        for row in rows:
            if row.subprocessor:
                yield from self._compared(row)

    def _compared(self, row: Any) -> Iterator[Note]:
        agreed = self._agreed.get(row.processor_id)
        allowed = agreed.subprocessors.get(row.subprocessor) if agreed else None
        notice = agreed.notice_days if agreed else 30
        do = f"review it within its {notice} days of notice: agree in subprocessors.yaml, or object"
        asset = f"subprocessor:{row.processor_id}>{row.subprocessor}"
        place = self._reference.territory(row.country)
        country = place.code if place else "an unknown country"
        if allowed is None:
            yield Note(
                "subprocessor_undeclared",
                "MEDIUM",
                asset,
                "",
                f"a sub-processor in {country} that nobody agreed to, listed {row.listed_on.isoformat()}",
                do,
            )
        elif country not in {found.code for c in allowed if (found := self._reference.territory(c))}:
            yield Note(
                "subprocessor_moved",
                "MEDIUM",
                asset,
                country,
                f"a sub-processor works in {country}, which was not agreed; listed {row.listed_on.isoformat()}",
                do,
            )
