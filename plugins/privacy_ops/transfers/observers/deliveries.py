"""What the other jobs sent out (T-D8): releases to recipients, instructions and notices to processors.

The jobs do not import each other: this reads what they wrote into gov.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database
from privacy_ops.stores.sql import statement
from privacy_ops.transfers.flows import Importer
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, blind, each
from privacy_ops.transfers.registry import Registry


class ExportObserver:
    """Recipients of releases. Their packs are anonymous, which is outside of the law of transfers; the agreement in
    gov declares them. One whose agreement is gone is undeclared."""

    name = "export_deliveries"

    def __init__(self, database: Database, *, on: date) -> None:
        self._database, self._on = database, on

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                rows = connection.execute(statement("transfers", "select_export_recipients"), {"today": self._on}).all()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        flows = tuple(
            ObservedFlow(
                f"recipient:{row.recipient_id}",
                "DISCLOSURE",
                row.country,
                "anonymous releases",
                personal=False,
                agreement=row.agreement_id or "",
                importer=Importer(
                    entity_id=f"recipient:{row.recipient_id}",
                    name=row.name,
                    relationship="CONTROLLER",
                    role="controller",
                ),
            )
            for row in rows
        )
        return Observation(self.name, flows, looked=True)


class InstructionObserver:
    """Parties that were told about erasures. An instruction names the person: it goes where the party is."""

    name = "instructions"

    def __init__(self, database: Database, registry: Registry) -> None:
        self._database, self._registry = database, registry

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                rows = connection.execute(statement("transfers", "select_instructed_parties")).all()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        flows, notes = each(part for row in rows for part in self._of(row))
        return Observation(self.name, flows, looked=True, notes=notes)

    def _of(self, row: Any) -> Iterator[ObservedFlow | Note]:
        place = f"processor:{row.party}"
        if row.party not in self._registry.processors:
            yield Note(
                "processor_not_registered",
                "HIGH",
                place,
                "",
                "a party that is told about erasures stands in no register of processors and recipients",
                "register it with its contract and transfer",
            )
            return
        told = {f.country for t in self._registry.transfers.values() if t.importer == row.party for f in t.flows}
        for country in sorted(told or {self._registry.processors[row.party].established}):
            yield ObservedFlow(place, "DISCLOSURE", country, "instructions", entity=row.party)
