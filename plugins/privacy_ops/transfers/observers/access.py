"""From which countries people reach the personal data: by GeoIP, by what the access log says, by the people list.

Three observers, since they are three sources: what two of them say weighs more than what one says. Addresses of
people are looked up in memory and go nowhere; what is kept are countries and numbers of accesses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.stores.database import Database, stream
from privacy_ops.stores.sql import statement
from privacy_ops.transfers.geoip import GeoDatabase, IpNetwork
from privacy_ops.transfers.observers.base import Note, Observation, ObservedFlow, blind, each
from privacy_ops.transfers.reference import Reference
from privacy_ops.transfers.registry import Registry

Source = Literal["geoip", "log", "people"]
_OUTSIDE = frozenset({"contractor", "agency"})


@dataclass(frozen=True)
class Group:
    """Whose people, engaged how, from which country (None: could not be told)."""

    engagement: str  # employee, contractor, agency, unknown
    employer: str  # key of the registry of processors; "": nobody registered the actor
    country: str | None


Counts = Mapping[Group, int]


class _Access:
    """What the three share: the window, and what a group comes to."""

    source: Source

    def __init__(self, database: Database, registry: Registry, reference: Reference, home: str) -> None:
        self._database, self._registry, self._reference, self._home = database, registry, reference, home
        self.counts: Counts = {}  # what this observer counted, for the privacy role

    def _said(self, name: str, counts: Counts) -> Observation:
        self.counts = counts
        flows, notes = each(self._parts(counts))
        return Observation(name, flows, looked=True, notes=notes)

    def _parts(self, counts: Counts) -> Iterator[ObservedFlow | Note]:
        order = sorted(counts, key=lambda g: (g.employer, g.engagement, g.country or ""))
        for group in order:
            yield from self._of(group)

    def _of(self, group: Group) -> Iterator[ObservedFlow | Note]:
        asset = f"processor:{group.employer}" if group.employer else "access:unknown-actors"
        outside = group.engagement != "employee"
        if not group.employer:
            yield Note(
                "access_by_unknown_actor",
                "HIGH",
                asset,
                self.source,
                "the access log names actors whom the people list does not know",
                "find out who they are; register them, or close their access",
            )
            return
        if group.employer not in self._registry.processors:
            yield Note(
                "processor_not_registered",
                "HIGH",
                asset,
                "",
                "people of an organisation that the registry does not know can reach personal data",
                "register it with its contract and transfer, or close their access",
            )
        if group.country is None:
            yield Note(
                "access_place_unknown",
                "MEDIUM" if outside else "INFO",
                asset,
                self.source,
                f"{group.engagement} access from where nobody can tell, by {_WORDS[self.source]}",
                "ask them where they work from; look for tunnels and relays",
            )
        else:
            yield ObservedFlow(
                asset,
                "REMOTE_ACCESS",
                group.country,
                f"{group.engagement} access",
                entity=group.employer,
                home=group.country == self._home,
                estimated=self.source == "geoip",
            )

    def _country(self, code: str | None) -> str | None:
        """A code that is a country of the reference data, aliases followed; None for anything else."""
        place = self._reference.territory(code)
        return place.code if place and place.kind not in {"PSEUDO", "AREA", "ORGANISATION"} else None


_WORDS: Mapping[Source, str] = {"geoip": "GeoIP", "log": "the access log", "people": "the people list"}


class _AccessLog(_Access):
    """What reads ``gov.access_log``: the window that ends with the run."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        reference: Reference,
        home: str,
        *,
        as_of: datetime,
        window_days: int,
    ) -> None:
        super().__init__(database, registry, reference, home)
        self._window = {"since": as_of - timedelta(days=window_days), "until": as_of}
        self._days = window_days

    def _nothing(self) -> str:
        return f"no access of the last {self._days} days stands in gov.access_log: it is not being filled"


class AccessGeoObserver(_AccessLog):
    """Countries of the addresses in the access log. Each distinct address leaves the database once, and only to be
    looked up; in order, so that one answer of the GeoIP database serves its whole network.
    """

    name = "access_geoip"
    source: Source = "geoip"

    def __init__(self, *args: Any, geo: GeoDatabase | PrivacyOpsError, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._geo = geo
        self.networks = 0  # how many were looked up

    def observe(self) -> Observation:
        if isinstance(self._geo, PrivacyOpsError):
            return blind(self.name, self._geo)
        counts: Counter[Group] = Counter()
        at: IpNetwork | None = None
        country: str | None = None
        try:
            with self._database.transaction(read_only=True) as connection:
                for row in stream(connection, statement("transfers", "select_access_addresses"), self._window):
                    if at is None or row.address.version != at.version or row.address not in at:
                        country, at = self._geo.locate(row.address)
                        self.networks += 1
                    counts[Group(row.engagement, row.employer, country)] += row.accesses
        except PrivacyOpsError as error:
            return blind(self.name, error)
        if not counts:
            return blind(self.name, self._nothing())
        return self._said(self.name, counts)


class AccessLogObserver(_AccessLog):
    """Countries that the access log itself states, of the single sign-on, the VPN or the device."""

    name = "access_log"
    source: Source = "log"

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                rows = connection.execute(statement("transfers", "count_access_countries"), self._window).all()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        if not rows:
            return blind(self.name, self._nothing())
        counts: Counter[Group] = Counter()
        for row in rows:
            if row.country is not None:
                counts[Group(row.engagement, row.employer, self._country(row.country))] += row.accesses
        return self._said(self.name, counts)


class PeopleObserver(_Access):
    """Countries in which people with access are engaged (T-D7)."""

    name = "people"
    source: Source = "people"

    def __init__(
        self, database: Database, registry: Registry, reference: Reference, home: str, *, as_of: datetime
    ) -> None:
        super().__init__(database, registry, reference, home)
        self._today = as_of.date()

    def observe(self) -> Observation:
        try:
            with self._database.transaction(read_only=True) as connection:
                rows = connection.execute(statement("transfers", "count_people"), {"today": self._today}).all()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        if not rows:
            return blind(self.name, "gov.staff names nobody who may reach personal data: it is not being filled")
        counts: Counter[Group] = Counter()
        for row in rows:
            counts[Group(row.engagement, row.employer, self._country(row.country))] += row.people
        return self._said(self.name, counts)
