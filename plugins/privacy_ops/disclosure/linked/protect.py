"""Complementary suppression: withhold further numbers until no withheld one can be computed back.

For every protected number there must be a table that a reader cannot tell from the true one and in which that number
lies as far away as its need says. Such a table is a *witness*; the search for one is a linear program. Where there is
none, the cheapest set of published numbers is found whose withholding makes one (the objective counts how much
published numbers would have to move, dearer where more is lost), and is withheld. One witness serves many needs, so
that few programs are solved.

The mask is a function of table, rules and what is named as given or shown: no clock, no history, no chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from privacy_ops.disclosure.linked.cells import Need
from privacy_ops.disclosure.linked.frame import Entry, Key, rest_of
from privacy_ops.disclosure.linked.primary import Reason, need_of, primaries
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.system import INF, Solver, System, Vector
from privacy_ops.disclosure.linked.table import Table

SLACK = 1e-6  # below this, a deviation is the solver's arithmetic
REPAIRS_BETWEEN_ROUNDS = 5
WORTHWHILE = 0.9  # a round that leaves more than this short is the last


@dataclass(frozen=True)
class Mask:
    """What is withheld and why, and how well each withheld number (or complement) must be protected.

    ``unmet``: needs that cannot be met because of what was shown before; then everything else is withheld. Reasons
    and needs are for the register and the gate: they are never published.
    """

    reasons: Mapping[Entry, Reason]
    needs: Mapping[Entry, Need]
    unmet: frozenset[Entry] = field(default=frozenset())

    @cached_property
    def withheld(self) -> frozenset[Entry]:
        return frozenset(self.reasons)

    @cached_property
    def costs(self) -> Mapping[Reason, int]:
        """Numbers withheld by each rule."""
        return Counter(self.reasons.values())


def protect(
    table: Table,
    rules: Rules,
    *,
    given: Collection[Entry] = (),
    shown: Collection[Entry] = (),
    is_open: bool = True,
) -> Mask:
    """The mask of a table.

    ``given``: withheld already, whatever the rules say (a stricter audience's file withholds what the master does; a
    quarter's table withholds what its weeks do). ``shown``: published already and beyond recall. ``is_open``: whether
    the course ever had enough people; if not, all is withheld.

    Raises ValueError for an entry that the table does not have or that is both given and shown.
    """
    names = [*(m.name for m in table.frame.measures), *(a.name for a in table.frame.amounts)]
    every = [Entry(key, name) for key in table.frame.keys for name in names]
    if not {*given, *shown} <= set(every) or set(given) & set(shown):
        raise ValueError("given and shown entries must be different entries of the table")
    if not is_open:
        return Mask(dict.fromkeys(every, "activity"), {})
    return _Protection(table, rules, frozenset(given), frozenset(shown)).run()


class _Protection:
    """The mask while it grows."""

    def __init__(self, table: Table, rules: Rules, given: frozenset[Entry], shown: frozenset[Entry]) -> None:
        self.table, self.rules, self.shown = table, rules, shown
        found = primaries(table, rules)
        self.reasons: dict[Entry, Reason] = {e: r for e, r in found.reasons.items() if e not in shown}
        self.needs = {e: n for e, n in found.needs.items() if e not in shown}
        for entry in sorted(given):
            self.withhold(entry, "given")

    def withhold(self, entry: Entry, reason: Reason) -> list[Entry]:
        """Withhold an entry and what lies within it. Returns what was not withheld before."""
        new = []
        for name in (entry.measure, *self.table.frame.inner[entry.measure]):
            inside = Entry(entry.key, name)
            if inside not in self.reasons and inside not in self.shown:
                self.reasons[inside] = reason if inside == entry else "around"
                self.needs.setdefault(inside, need_of(self.table, inside, self.reasons[inside], self.rules))
                new.append(inside)
        return new

    def run(self) -> Mask:
        """Measure by measure from the outermost in, each with those before it: what a count costs is seen first."""
        measures = [m.name for m in self.table.frame.measures]
        amounts = [a.name for a in self.table.frame.amounts]
        unmet: frozenset[Entry] = frozenset()
        for place, name in enumerate(measures):
            unmet = _Stage(self, measures[: place + 1], {name}).run()
        if amounts:
            unmet = _Stage(self, [*measures, *amounts], set(amounts)).run()
        if unmet:
            unmet = _Stage(self, [*measures, *amounts], {*measures, *amounts}).run()
        if unmet:  # what was shown before says too much already: add nothing to it
            for key in self.table.frame.keys:
                for name in measures:
                    self.withhold(Entry(key, name), "linked")
            unmet = _Stage(self, [*measures, *amounts], set()).run()
        return Mask(dict(sorted(self.reasons.items())), dict(sorted(self.needs.items())), unmet)


class _Stage:
    """Protects the entries of some measures, withholding entries of ``candidates`` where it must."""

    def __init__(self, parent: _Protection, names: list[str], candidates: set[str]) -> None:
        self.parent, self.table, self.rules = parent, parent.table, parent.rules
        rests = {rest_of(m.name) for m in self.table.frame.measures if m.name in names}
        self.system = System(self.table, names, (e for e in parent.needs if e.measure in rests))
        self.candidates = candidates
        entries, true = self.system.entries, self.system.true
        self.free = np.array([e in parent.reasons or e.measure in rests for e in entries], dtype=np.bool_)
        self.least, self.most = self._published_bounds()
        may_move = np.array([e.measure in candidates and e not in parent.shown for e in entries], dtype=np.bool_)
        self.system.settle(self.free | may_move | (self.least < 0) | (self.most > 0))
        self.lowest = np.zeros(len(entries))
        self.highest = np.zeros(len(entries))
        # What is needed of each entry, as deviations; NaN where nothing is.
        self.up = np.full(len(entries), np.nan)
        self.down = np.full(len(entries), np.nan)
        self.width = np.zeros(len(entries))
        for place, entry in enumerate(entries):
            if entry in parent.needs:
                self._need(place, parent.needs[entry])
        self.unmet: set[int] = set()
        self.alike = self._alike()
        self.far = max(float(np.max(true, initial=0.0)), 1.0) * 2 + self.rules.min_people
        self.checker = self.system.solver(
            *self._bounds(), np.array([], dtype=np.int32), np.array([])
        ).by_primal_simplex()
        self.chance = np.random.default_rng(0)

    def _alike(self) -> NDArray[np.int64]:
        """A number for each entry; the same for those that could change places, so that a witness of one is one of all.

        They are in cells that are part of the same cells, hold the same numbers and are withheld whole: most countries
        of a region, with nobody in them.
        """
        parent, entries, index = self.parent, self.system.entries, self.system.index
        names = sorted({entry.measure for entry in entries})
        first: dict[object, Key] = {}
        found = np.arange(len(entries))
        for key, relations in self.table.frame.siblings.items():
            mine = [entry for name in names if (entry := Entry(key, name)) in index]
            if not all(self.free[index[entry]] for entry in mine):
                continue
            said = [(entry.measure, self.system.true[index[entry]], parent.needs.get(entry)) for entry in mine]
            twin = first.setdefault((tuple(map(id, relations)), tuple(said)), key)
            for entry in mine:
                found[index[entry]] = index[Entry(twin, entry.measure)]
        return found

    def _published_bounds(self) -> tuple[Vector, Vector]:
        """How far a reader must take published numbers to be from the true ones: counts not at all."""
        least, most = np.zeros(len(self.system.entries)), np.zeros(len(self.system.entries))
        for amount in self.system.amounts:
            for key in self.table.frame.keys:
                place = self.system.index[Entry(key, amount.name)]
                people, total = self.table.value(Entry(key, amount.of)), self.table.value(Entry(key, amount.name))
                if not people:
                    continue
                unit = self.rules.amount_unit * people
                edge, upper = self.rules.amount_bands.limits(self.rules.amount_bands.of(total, unit))
                most_of_all = amount.most * people
                least[place] = (edge * unit - total) / amount.most
                most[place] = ((most_of_all if upper is None else min(upper * unit, most_of_all)) - total) / amount.most
        return least, most

    def _bounds(self) -> tuple[Vector, Vector]:
        floor, ceiling = self.system.floor, self.system.ceiling
        return np.where(self.free, floor, self.least), np.where(self.free, ceiling, self.most)

    def _need(self, place: int, need: Need) -> None:
        true, unit = self.system.true[place], self.system.unit[place]
        self.width[place] = need.width / unit
        self.up[place] = np.nan if need.up_to is None else need.up_to / unit - true
        self.down[place] = np.nan if need.down_to is None else need.down_to / unit - true

    def run(self) -> frozenset[Entry]:
        """Withhold in the parent until all needs are met; returns those that cannot be."""
        self._rounds()
        repairer: Solver | None = None
        repaired = 0
        tries: Counter[int] = Counter()
        while (place := self._next()) is not None:
            repairer = repairer or self._repairer()
            tries[place] += 1
            # Up, down and apart: who is still short after three moves is so by the solver's arithmetic.
            moved = self._move(repairer, place) if tries[place] <= 3 else None
            if moved is None:
                self.unmet.add(place)
                continue
            new = self._withhold_what_moved(moved, repairer)
            self._witness(moved)
            repaired += new
            if new and repaired % REPAIRS_BETWEEN_ROUNDS == 0:
                self._rounds()
        return frozenset(self.system.entries[place] for place in self.unmet)

    def _move(self, repairer: Solver, place: int) -> Vector | None:
        """The cheapest way to move an entry as far as it must; None when there is none."""
        up, down, narrow = (bool(short[place]) for short in self._short())
        ways = []
        if up:
            ways = [(self.up[place], INF)]
        elif down:
            ways = [(-INF, self.down[place])]
        elif narrow:  # a number that cannot grow, being within another, can still shrink
            ways = [
                (self.lowest[place] + self.width[place], INF),
                (-INF, self.highest[place] - self.width[place]),
            ]
        for low, high in ways:
            floor, ceiling = self.system.floor[place], self.system.ceiling[place]
            if low > ceiling + SLACK or high < floor - SLACK:
                continue
            repairer.bound(place, max(min(low, ceiling), floor), min(max(high, floor), ceiling))
            moved = repairer.solve()
            repairer.bound(place, floor, ceiling)
            if moved is not None:
                return moved
        return None

    def _repairer(self) -> Solver:
        """Every published candidate has a way up and down, dearer the more is lost with it."""
        entries = self.system.entries
        places = [
            place
            for place, entry in enumerate(entries)
            if entry.measure in self.candidates and not self.free[place] and entry not in self.parent.shown
        ]
        scale = np.log1p(np.max(self.system.true, initial=1.0))
        costs = [
            (1 + len(self.table.frame.inner[entries[place].measure]))
            * (1 + 0.1 * float(np.log1p(self.system.true[place]) / scale))
            + 1e-4 * rank / len(entries)
            for rank, place in enumerate(places)
        ]
        return self.system.solver(*self._bounds(), np.array(places, dtype=np.int32), np.array(costs))

    def _withhold_what_moved(self, moved: Vector, repairer: Solver) -> int:
        beyond = ~self.free & ((moved > self.most + SLACK) | (moved < self.least - SLACK))
        new = 0
        for place in np.flatnonzero(beyond):
            for entry in self.parent.withhold(self.system.entries[place], "linked"):
                if (inside := self.system.index.get(entry)) is not None:
                    self.free[inside] = True
                    self._need(inside, self.parent.needs[entry])
                    repairer.close_ways(inside)
                    repairer.bound(inside, self.system.floor[inside], self.system.ceiling[inside])
            new = 1
        return new

    def _witness(self, moved: Vector) -> None:
        np.minimum.at(self.lowest, self.alike, moved)
        np.maximum.at(self.highest, self.alike, moved)
        self.lowest, self.highest = self.lowest[self.alike], self.highest[self.alike]

    def _short(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
        """Which entries no witness has moved far enough yet: up, down, or (where that is not the trouble) apart."""
        up = self.highest < self.up - SLACK
        down = self.lowest > self.down + SLACK
        narrow = (self.highest - self.lowest < self.width - SLACK) & ~up & ~down
        for place in self.unmet:
            up[place] = down[place] = narrow[place] = False
        return up, down, narrow

    def _next(self) -> int | None:
        """The next want: of the largest number first (it costs most and serves others), then by key."""
        up, down, narrow = self._short()
        short = np.flatnonzero(up | down | narrow)
        return int(short[np.argmax(self.system.true[short])]) if short.size else None

    def _rounds(self) -> None:
        """Look for witnesses that serve many needs at once, as long as a round settles a tenth of them.

        A round moves all that is short at once, each up or down by a throw of (seeded) dice, then the other way round.
        """
        low, high = self._bounds()
        self.checker.bound_all(low, np.minimum(high, self.far))
        while left := self._count_short():
            up, down, narrow = self._short()
            wanted = up | down | narrow
            count = len(wanted)
            pull = self.chance.uniform(0.5, 1.5, count) * self.chance.choice((-1.0, 1.0), count)
            for way in (1.0, -1.0):
                self.checker.aim(np.where(wanted, way * pull, 0.0))
                if (moved := self.checker.solve()) is not None:
                    self._witness(moved)
            if self._count_short() > WORTHWHILE * left:
                return

    def _count_short(self) -> int:
        return sum(int(short.sum()) for short in self._short())
