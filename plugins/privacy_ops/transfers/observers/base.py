"""What every observer says, and the one interface that they share.

An observer that could not look says so with the reason; it never reports an empty success. A new observer is a class
with a ``name`` and ``observe``, a line in ``registered`` and a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from privacy_ops.errors import PrivacyOpsError
from privacy_ops.transfers.flows import Importer, Nature

Severity = Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"]


@dataclass(frozen=True)
class ObservedFlow:
    """Data are, or can go, to ``country`` (None: could not be told) at ``place``. ``entity``: who, when known."""

    place: str
    nature: Nature
    country: str | None
    detail: str  # region, host or source; never what changes from day to day
    entity: str | None = None
    destination: str = ""  # what would have to be blocked; default: the place
    home: bool = False  # the publisher's own machine, or its own country
    estimated: bool = False  # the country is what a GeoIP database says of an address, and nothing else
    personal: bool = True
    agreement: str = ""  # an agreement in gov that declares this flow; "": the registry has to
    importer: Importer | None = None  # who, where gov knows them and the registry does not


@dataclass(frozen=True)
class Note:
    """Something to act on that is no flow of its own: a sub-processor, a listing that has aged, a public bucket."""

    rule: str
    severity: Severity
    asset: str
    subject: str
    title: str
    do: str
    destination: str = ""  # what a CRITICAL one blocks


@dataclass(frozen=True)
class Observation:
    """What one observer saw. ``looked`` False: it could not. ``reason``: why not, or what it left out; no secrets."""

    observer: str
    flows: tuple[ObservedFlow, ...]
    looked: bool
    reason: str = ""
    notes: tuple[Note, ...] = ()


class Observer(Protocol):
    """One way of seeing flows."""

    @property
    def name(self) -> str: ...

    def observe(self) -> Observation: ...


def blind(observer: str, error: PrivacyOpsError | str) -> Observation:
    """The word of an observer that could not look. Errors of this project hold no secret."""
    return Observation(observer, (), looked=False, reason=str(error))


@dataclass(frozen=True)
class Guarded:
    """An observer whose every fault becomes blindness: one that breaks must not hide what the others see."""

    inner: Observer

    @property
    def name(self) -> str:
        return self.inner.name

    def observe(self) -> Observation:
        try:
            return self.inner.observe()
        except PrivacyOpsError as error:
            return blind(self.name, error)
        except Exception as error:  # ruff: ignore[BLE001] - its text may quote an address or a password
            return blind(self.name, f"the observer failed ({type(error).__name__}); its cause is not shown")


Lookup = Callable[[str], str | None]


def each(parts: Iterator[ObservedFlow | Note]) -> tuple[tuple[ObservedFlow, ...], tuple[Note, ...]]:
    """Flows and notes apart, each once, in the order in which they were seen."""
    flows: dict[ObservedFlow, None] = {}
    notes: dict[Note, None] = {}
    for part in parts:
        if isinstance(part, ObservedFlow):
            flows.setdefault(part)
        else:
            notes.setdefault(part)
    return tuple(flows), tuple(notes)
