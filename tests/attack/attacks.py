"""The attacks that a release has to survive, each from released files and public rules alone.

An attack gives what it can tell of withheld numbers: an interval for each. How it is scored, and whether it was right,
is the tests' business, as are the true numbers. Only two attackers bring something of their own: the insider, who knows
his colleagues, and the second largest contributor, who knows himself.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
from privacy_ops.disclosure import noise
from privacy_ops.disclosure.linked.audit import Contradiction, audit
from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.frame import Entry, Frame, Key, Measure, Relation, rest_of
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.noise import Noise
from privacy_ops.usage import periods
from privacy_ops.usage.files.read import parquet_secrets

Interval = tuple[float, float]  # low, high
Told = dict[Entry, Interval]
CERTAIN = 1e-6
UNKNOWN = (0.0, float("inf"))


@dataclass(frozen=True)
class Released:
    """What readers hold: a file each. The frame and the rules are public, and the rows that each file has to have:
    ``lists``, one for each file, all rows of the frame where there is none."""

    frame: Frame
    rules: Rules
    files: tuple[tuple[PublishedCell, ...], ...]
    lists: tuple[frozenset[Key], ...] = ()

    def listed(self) -> Iterator[tuple[tuple[PublishedCell, ...], frozenset[Key]]]:
        """Each file with its public list."""
        yield from zip(self.files, self.lists or (frozenset(self.frame.keys),) * len(self.files), strict=True)

    @property
    def together(self) -> tuple[PublishedCell, ...]:
        return tuple(chain.from_iterable(self.files))

    def values(self) -> dict[Entry, int | str | None]:
        """Everything in any file; shown in one, it is shown."""
        found: dict[Entry, int | str | None] = {}
        for cell in self.together:
            for name, value in cell.values.items():
                entry = Entry(cell.key, name)
                found[entry] = value if value is not None else found.get(entry)
        return found

    def known(self) -> Told:
        """Counts as a reader has them: published ones within the rounding, withheld ones from 0 on."""
        names = {measure.name for measure in self.frame.measures}
        return {
            entry: _around(value, self.rules) if isinstance(value, int) else UNKNOWN
            for entry, value in self.values().items()
            if entry.measure in names
        }

    def withheld(self) -> set[Entry]:
        names = {measure.name for measure in self.frame.measures}
        return {entry for entry, value in self.values().items() if value is None and entry.measure in names}


def _around(value: int, rules: Rules) -> Interval:
    return float(max(value - rules.half, rules.min_people)), float(value + rules.half)


def _sums(frame: Frame, measure: Measure, dimension: str | None = None) -> Iterator[Relation]:
    """Relations along which a measure adds up exactly."""
    for relation in frame.relations:
        off = relation.dimension in measure.unions | measure.unrelated
        if relation.complete and not off and dimension in {None, relation.dimension}:
            yield relation


def margin_subtraction(released: Released, dimension: str | None = None) -> Told:
    """1. The total less the parts that are shown, again and again, until nothing moves."""
    known = released.known()
    for _ in range(6):
        before = dict(known)
        for measure in released.frame.measures:
            for relation in _sums(released.frame, measure, dimension):
                whole = Entry(relation.parent, measure.name)
                parts = [Entry(child, measure.name) for child in relation.children]
                _tighten(known, whole, parts)
        if known == before:
            break
    return {entry: known[entry] for entry in released.withheld()}


def _tighten(known: Told, whole: Entry, parts: Sequence[Entry]) -> None:
    ends = [known.get(part, UNKNOWN) for part in parts]
    low, high = known.get(whole, UNKNOWN)
    known[whole] = max(low, sum(end[0] for end in ends)), min(high, sum(end[1] for end in ends))
    low, high = known[whole]
    for part, (least, most) in zip(parts, ends, strict=True):
        others_low = sum(end[0] for end in ends) - least
        unlimited = [end[1] for end in ends].count(float("inf")) - (most == float("inf"))
        others_high = (
            float("inf")
            if unlimited
            else sum(e[1] for e in ends if e[1] != float("inf")) - (most if most != float("inf") else 0)
        )
        known[part] = max(least, low - others_high), min(most, high - others_low)


def intervals_by_program(released: Released) -> Told:
    """2. A linear program for every withheld number, on each file alone."""
    found: Told = {}
    for file in released.files:
        found |= _by_program(file, released)
    return found


def _by_program(cells: Sequence[PublishedCell], released: Released) -> Told:
    try:
        told = audit(cells, released.frame, released.rules)
    except Contradiction:
        return {Entry(("*",), "contradiction"): (0.0, 0.0)}  # numbers that cannot all be true say which are not
    counted = {measure.name for measure in released.frame.measures}
    return {
        one.entry: (one.low, float("inf") if one.high is None or one.is_met else one.high)
        for one in told
        if one.entry.measure in counted
    }


def null_space(released: Released) -> Told:
    """3. Linear algebra over all tables: what every solution has in common is known, whatever is rounded.

    The attacker takes published numbers for exact; a withheld one is known if no vector of the null space moves it.
    """
    withheld = sorted(released.withheld())
    place = {entry: number for number, entry in enumerate(withheld)}
    rows: list[np.ndarray] = []
    values = released.values()
    for measure in released.frame.measures:
        for relation in _sums(released.frame, measure):
            row = np.zeros(len(withheld))
            cells = [(relation.parent, 1.0), *((child, -1.0) for child in relation.children)]
            entries = [(Entry(key, measure.name), sign) for key, sign in cells]
            if all(entry in values for entry, _ in entries):
                for entry, sign in entries:
                    if entry in place:
                        row[place[entry]] = sign
                if row.any():
                    rows.append(row)
    if not rows or not withheld:
        return {}
    # A number moves if it has a part in the null space: one minus its part in the row space is more than nothing.
    _, sizes, right = np.linalg.svd(np.array(rows), full_matrices=False)
    basis = right[sizes > 1e-9]
    moves = 1.0 - (basis**2).sum(axis=0)
    return {entry: (0.0, 0.0) for entry in withheld if moves[place[entry]] < CERTAIN}


def stacked_breakdowns(released: Released) -> Told:
    """4. All files of all readers at once, whatever they break down by."""
    return _by_program(released.together, released)


def differences_in_time(released: Released) -> Told:
    """5. A period less the parts of it that are shown: weeks against the quarter, or one cumulative count against the
    next."""
    sums, unions = margin_subtraction(released, "time"), _bounds_of_unions(released, {"time"})
    return {entry: (max(low, unions[entry][0]), min(high, unions[entry][1])) for entry, (low, high) in sums.items()}


def all_completed(released: Released) -> Told:
    """10. What is shown of a part and of its whole tells of the few who are in one only; a share near all, of all."""
    found: Told = {}
    values, rules = released.values(), released.rules
    for measure in released.frame.measures:
        around = measure.within or measure.beside
        for entry, value in values.items():
            if around is None or entry.measure != measure.name or not isinstance(value, int):
                continue
            whole = values.get(Entry(entry.key, around))
            if isinstance(whole, int) and abs(whole - value) + 2 * rules.half < rules.min_people:
                found[Entry(entry.key, rest_of(measure.name))] = (0.0, float(abs(whole - value) + 2 * rules.half))
        for entry, band in values.items():
            if (
                entry.measure == share_of(measure.name)
                and isinstance(band, str)
                and band not in rules.share_bands.labels()
            ):
                found[entry] = (0.0, 0.0)
    return found


def marks_and_shape(released: Released) -> Told:
    """11. A row that is not there, or another mark than the one, tells zeros from small counts.

    Which rows there are must be what the public list says, no more and no less: then the shape of a file tells nothing.
    """
    found: Told = {}
    for file, public in released.listed():
        columns = {tuple(sorted(cell.values)) for cell in file}
        rows = [cell.key for cell in file]
        if rows != sorted(rows) or len(columns) > 1:
            found[Entry(("*",), "order or columns")] = (0.0, 0.0)
        for cell in file:
            for name, value in cell.values.items():
                if (isinstance(value, int) and value < released.rules.min_people) or value == "":
                    found[Entry(cell.key, name)] = (0.0, 0.0)
        found |= {Entry(key, "row"): (0.0, 0.0) for key in public ^ set(rows)}
    return found


def coalitions(released: Released) -> Told:
    """12. Every pair and every triple of readers puts its files together."""
    found: Told = {}
    for size in (2, 3):
        for some in combinations(released.files, size):
            found |= _by_program(tuple(chain.from_iterable(some)), released)
    return found


def knows_the_rules(released: Released) -> Told:
    """13. Every rule is used as an equation, and that people are whole: rounding, thresholds, complements, bands."""
    try:
        told = audit(
            released.together, released.frame, released.rules, whole=len(released.frame.keys) < 60, exact=False
        )
    except Contradiction:
        return {Entry(("*",), "contradiction"): (0.0, 0.0)}
    return {one.entry: (one.low, float("inf") if one.high is None or one.is_met else one.high) for one in told}


def ratio_inversion(released: Released) -> Told:
    """14. A band of a share or a mean, turned round, gives the count that it is of."""
    found: Told = {}
    values, rules = released.values(), released.rules
    for measure in released.frame.measures:
        if measure.within is None:
            continue
        for entry, value in values.items():
            band = values.get(Entry(entry.key, share_of(measure.name)))
            whole = values.get(Entry(entry.key, measure.within))
            if entry.measure == measure.name and value is None and isinstance(band, str) and isinstance(whole, int):
                low, high = rules.share_bands.limits(band)
                most, least = whole + rules.half, whole - rules.half
                found[entry] = (low * least / 100, (high or 100) * most / 100)
    for amount in released.frame.amounts:
        for entry, value in values.items():
            if entry.measure == amount.name and isinstance(value, str):
                of = Entry(entry.key, amount.of)
                if of in values and values[of] is None:
                    found[of] = (float(rules.min_people), float(rules.min_people))  # it says that the rules let it pass
    return found


def distinct_counts(released: Released) -> Told:
    """15. Overlapping sets: the largest part is at most the whole, the whole at most the sum of its parts."""
    dimensions = {d for measure in released.frame.measures for d in measure.unions}
    return _bounds_of_unions(released, dimensions)


def _bounds_of_unions(released: Released, dimensions: set[str]) -> Told:
    known = released.known()
    for _ in range(6):
        before = dict(known)
        for measure in released.frame.measures:
            for relation in released.frame.relations:
                if relation.dimension not in measure.unions & dimensions:
                    continue
                whole = Entry(relation.parent, measure.name)
                parts = [Entry(child, measure.name) for child in relation.children]
                ends = [known.get(part, UNKNOWN) for part in parts]
                low, high = known.get(whole, UNKNOWN)
                low = max(low, *(end[0] for end in ends))
                high = min(high, sum(end[1] for end in ends)) if relation.complete else high
                known[whole] = (low, high)
                for part, (least, most) in zip(parts, ends, strict=True):
                    others = (
                        sum(end[1] for end in ends) - most
                        if most != float("inf")
                        else sum(end[1] for other, end in zip(parts, ends, strict=True) if other != part)
                    )
                    floor = low - others if relation.complete else 0.0
                    known[part] = max(least, floor), min(most, high)
        if known == before:
            break
    return {entry: known[entry] for entry in released.withheld()}


def overlapping_windows(windows: Iterable[tuple[str, frozenset[int]]]) -> list[tuple[str, str]]:
    """16. Two windows that neither nest nor are disjoint: their difference is a window that nobody protected."""
    return [(one, other) for (one, a), (other, b) in combinations(windows, 2) if a & b and not a <= b and not b <= a]


@dataclass(frozen=True)
class Insider:
    """Somebody who knows everybody of his own hospital: how many of them are in a cell."""

    own: Mapping[Entry, int]


def insider(released: Released, knows: Insider, least: int = 3) -> Told:
    """17. What is shown, less those he knows: what is left must not be a handful, nor a withheld number told."""
    found: Told = {}
    for entry, value in released.values().items():
        own = knows.own.get(entry)
        if own is None or not isinstance(value, int):
            continue
        low, high = _around(value, released.rules)
        if own and high - own < least:
            found[entry] = (max(low - own, 0.0), high - own)
    # Of a withheld number he knows that it is at least his own people: the rest must be as open as before.
    floors = {entry: own for entry, own in knows.own.items() if entry in released.withheld() and own}
    for entry, (low, high) in intervals_by_program(released).items():
        if entry in floors and high - max(low, floors[entry]) < least:
            found[entry] = (max(low, floors[entry]), high)
    return found


def second_largest(released: Released, largest: Mapping[Entry, tuple[int, int]]) -> Told:
    """9. Who adds most but one, and the band of the mean: how well is the largest known, and is it by a tenth?

    ``largest``: the largest and the second of a cell, of which the attacker uses the second, and is scored by the
    first.
    """
    found: Told = {}
    values, rules = released.values(), released.rules
    for amount in released.frame.amounts:
        for entry, band in values.items():
            people = values.get(Entry(entry.key, amount.of))
            if entry.measure != amount.name or not isinstance(band, str) or not isinstance(people, int):
                continue
            first, second = largest[entry]
            low, high = rules.amount_bands.limits(band)
            least, most = _around(people, rules)
            total_low = low * least * rules.amount_unit
            total_high = amount.most * most if high is None else high * most * rules.amount_unit
            # The others add nothing, and the rest is the largest's; or each as much as he does himself.
            top = min(total_high - second, float(amount.most))
            bottom = max(float(second), total_low - second * (most - 1))
            told_by_the_cap = amount.most - second < first / 10  # whatever is released
            if first and not told_by_the_cap and top - first < first / 10 and first - bottom < first / 10:
                found[entry] = (bottom, top)
    return found


def windows_of(files: Mapping[str, bytes]) -> list[tuple[str, frozenset[int]]]:
    """16. The windows that released CSV files tell of, by key, with their days."""
    found: dict[str, frozenset[int]] = {}
    for name, body in files.items():
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(body.decode())):
                if row[0] not in {"iso_week", "block", "quarter", "iso_year"}:
                    period = periods.from_key(row[0])
                    days = range(period.monday.toordinal(), period.last_day.toordinal() + 1)
                    found[period.key] = frozenset(days)
    return sorted(found.items())


def advantage(counts: Sequence[int], dice: Noise, draws: int) -> float:
    """18. How much more often than by chance an attacker, who knows everybody else and which ``counts`` the person is
    in, tells the world with the person from the one without: the best test there is adds these counts up."""
    moved = len(counts)
    half = sum(counts) + moved / 2
    without = noise.draw([*counts] * draws, dice)
    there = noise.draw([count + 1 for count in counts] * draws, dice)

    def says_there(told: list[int]) -> float:
        sums = [sum(told[n : n + moved]) for n in range(0, len(told), moved)]
        return sum((s > half) + 0.5 * (s == half) for s in sums) / len(sums)

    return says_there(there) - says_there(without)


def allowed(rho: float) -> float:
    """The most that noise of this cost lets anybody gain: the distance of two Gaussians √(2ρ) apart."""
    return math.erf(math.sqrt(2 * rho) / 2 / math.sqrt(2))


_KEY = re.compile(r"exports/(?P<product>[^/]+)/(?P<who>[^/]+)/(?P<week>\d{4}-W\d\d)/(?P<ident>[^/]+)/(?P<name>[\w.-]+)")
_CLOCK = re.compile(rb"(?:\b|T)\d\d:\d\d(?![0-9a-f])")  # a time of day: of a run, or of somebody's use
_WINDOW = re.compile(rb"\d{4}-\d\d-\d\d|in \w+ \d+ of \d{4}")  # as texts name it
_PLAIN = ("DATA_DICTIONARY.md", "csv-metadata.json")  # hold no number of the release, whatever it is


def side_channels(files: Mapping[str, bytes]) -> list[str]:
    """19. What released objects tell beside their numbers, by key: names that no rule gives, texts that differ where
    only numbers may, an order of rows that is not the key's, a mark of its own, Parquet that says more than its rows.
    """
    found: list[str] = []
    plain: dict[tuple[str, ...], set[bytes]] = defaultdict(set)
    for key, body in files.items():
        if not (said := _KEY.fullmatch(key)):
            return [*found, f"a name that no rule gives: {key}"]
        name, folder = said["name"], key.removesuffix(said["name"])
        period = {row[0] for row in _cells(files, folder)}
        if len(period) != 1:
            found.append(f"several periods in one folder: {folder}")
        if name.endswith(".parquet") and parquet_secrets(body):
            found.append(f"Parquet that says more than its rows: {name}")
        if name.endswith(".csv"):
            rows = [*csv.reader(io.StringIO(body.decode()))]
            flags = [place for place, column in enumerate(rows[0]) if column.endswith("_flag")]
            marks = {(row[place - 1] == "", row[place]) for row in rows[1:] for place in flags}
            if marks - {(True, "withheld"), (False, "published")}:
                found.append(f"marks that can be told apart: {name}")
            least = [row[: flags[0] - 1] for row in rows[1:]]
            if least != sorted(least):
                found.append(f"rows in an order of their own: {name}")
        if not name.endswith((".parquet", ".html", ".sig")) and _CLOCK.search(body):
            found.append(f"a time of day: {name}")
        if name in _PLAIN:
            tables = tuple(sorted(n.rpartition("/")[2] for n in files if n.startswith(folder) and n.endswith(".csv")))
            neutral = body.replace(said["ident"].encode(), b"").replace(next(iter(period)).encode(), b"")
            plain[said["product"], said["who"], name, *tables].add(_WINDOW.sub(b"", neutral))
    found += [f"a text that differs where only numbers may: {at[2]}" for at, texts in plain.items() if len(texts) > 1]
    return found


def _cells(files: Mapping[str, bytes], folder: str) -> Iterator[list[str]]:
    """Rows of every CSV file of a folder."""
    for key, body in files.items():
        if key.startswith(folder) and key.endswith(".csv"):
            yield from [*csv.reader(io.StringIO(body.decode()))][1:]


# By number; 6, 7, 8, 16, 18 and 19 are about runs and files, and have tests of their own.
FROM_FILES: dict[int, Callable[[Released], Told]] = {
    1: margin_subtraction,
    2: intervals_by_program,
    3: null_space,
    4: stacked_breakdowns,
    5: differences_in_time,
    10: all_completed,
    11: marks_and_shape,
    12: coalitions,
    13: knows_the_rules,
    14: ratio_inversion,
    15: distinct_counts,
}


def score(told: Told, rules: Rules) -> tuple[int, int]:
    """Numbers recovered (known but for less than one person), and intervals narrower than the protection."""
    widths = [high - low for low, high in told.values()]
    return sum(width < 1 for width in widths), sum(width < rules.min_people - CERTAIN for width in widths)


def weaker(released: Released, change: Callable[[PublishedCell], PublishedCell]) -> Released:
    """The same files, each cell made worse in one way."""
    return replace(released, files=tuple(tuple(map(change, file)) for file in released.files))


def keys(released: Released) -> set[Key]:
    return {cell.key for cell in released.together}
