"""Protects one course in one period, linked to what its parts told. Pure: true cells in, protected cells out.

The master is what authors may see of everything. A stricter audience has a mask of its own for each of its tables: it
withholds what the master withholds, and is closed by itself, because a master that is only thinned out can be solved.
Everything here follows from cells, lists and spec; what the parts told is from their own masters, never from what
happens to be released already.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from privacy_ops.disclosure.linked.audit import Contradiction, audit, too_narrow
from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.compare import may_follow
from privacy_ops.disclosure.linked.frame import Entry, Frame, Key
from privacy_ops.disclosure.linked.primary import primaries
from privacy_ops.disclosure.linked.protect import protect
from privacy_ops.disclosure.linked.publish import publish
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.disclosure.linked.table import Table
from privacy_ops.usage import frames
from privacy_ops.usage.counting import TrueCell
from privacy_ops.usage.frames import ALL, COMPLETERS, FINISHED, MINUTES, PASSED, STARTERS, UNSHOWN, Course
from privacy_ops.usage.levels import Level, level
from privacy_ops.usage.periods import Period
from privacy_ops.usage.places import Places
from privacy_ops.usage.release_spec import AudienceTable, BasePeriod, Part, ReleaseSpec

Cells = tuple[PublishedCell, ...]
Told = Mapping[Entry, int | str | None]
Why = Mapping[Entry, str]  # by what is withheld: a rule of usage.levels
Levels = Mapping[str, Level]  # by part
MASTER = "master"  # among the levels
IN_FILES = (STARTERS, COMPLETERS, MINUTES, share_of(FINISHED), share_of(PASSED))  # numbers that some file shows


@dataclass(frozen=True)
class Protected:
    """``master``: every cell of the period. ``views``: the tables of audiences that are stricter than the master, by
    product and table.

    ``costs``: numbers withheld by each rule. ``levels``: of the master (``MASTER``) and of each view, by part, what is
    shown and what each rule took; empty in masters of before it was kept, whose ``people`` say how many per cent of
    those who started are in cells of the master that show them. ``exposed``: numbers that somebody who holds the
    master, or one of the views, can tell more closely than was promised; there must be none.
    """

    master: Cells
    views: Mapping[str, Cells]
    costs: Mapping[str, int]
    people: Mapping[str, int] = field(default_factory=dict)
    exposed: int = 0
    levels: Mapping[str, Levels] = field(default_factory=dict)


def view_name(product: str, table: str) -> str:
    """Name of a stricter audience's table among the views."""
    return f"{product}/{table}"


def levels_of(kept: Protected, product: str, table: str) -> Levels:
    """What a table of an audience shows, and what it costs, by part; empty in masters of before it was kept."""
    return kept.levels.get(view_name(product, table), kept.levels.get(MASTER, {}))


def cells_of(kept: Protected, product: str, table: str) -> Cells:
    """The cells that a table of an audience is a filter of."""
    return kept.views.get(view_name(product, table), kept.master)


def protect_period(
    period: Period,
    base: BasePeriod,
    course: Course,
    places: Places,
    spec: ReleaseSpec,
    cells: Sequence[TrueCell],
    parts: Sequence[Protected],
    *,
    is_open: bool,
    corrects: Sequence[Protected] = (),
) -> Protected:
    """Protect ``period``. ``cells``: true cells of it and of its parts; ``parts``: what was kept of those.

    ``is_open``: whether the course ever had enough people. ``corrects``: every revision that was released of it before;
    then nothing that one of them withheld appears, and what would differ from one of them by a handful is withheld.
    Raises ValueError for cells that do not hang together.
    """
    table = frames.activity_table(frames.activity_frame(period, base, course, places, spec), cells)
    work = _Work(is_open)
    old = [kept.master for kept in corrects]
    master, why = work.protect(table, spec.rules(), told(cell for part in parts for cell in part.master), corrects=old)
    shares: Cells = ()
    cohort: Table | None = None
    if period.kind == "quarter":
        cohort = frames.cohort_table(frames.cohort_frame(period, course, places), cells)
        shares, _ = work.protect(cohort, spec.rules(), {}, corrects=old)
    costs = dict(work.costs)
    least = spec.thresholds.min_people
    own = [key for key in table.frame.keys if key[0] == period.key]
    levels = {MASTER: _levels(_own(master, own), table, why, least)}

    views: dict[str, Cells] = {}
    for product, audience in sorted(spec.audiences.items()):
        before = told(
            cell for part in parts for name, v in part.views.items() if name.startswith(product) for cell in v
        )
        # The laxer table first: what one shows, another of the same audience cannot hide.
        for name in sorted(audience.tables, key=lambda table: (spec.min_people(product, table), table)):
            if audience.tables[name].profile != "threshold":
                continue
            keys = keys_of(name, audience.tables[name], period, base, table.frame)
            rules = spec.rules(product, name)
            if not keys or rules == spec.rules():
                continue
            old = [kept.views.get(view_name(product, name), ()) for kept in corrects]
            linked = table.only(_with(keys, {entry.key for entry in before}, table.frame))
            found, why = work.protect(linked, rules, before, _withheld(master), old)
            before = {**before, **told(found)}
            if cohort is not None and any(key in cohort.frame.keys for key in keys):
                inside = cohort.only(_with(keys, set(), cohort.frame))
                more, _ = work.protect(inside, rules, {}, _withheld(shares), old)
                found = _merged(found, more)
            small = primaries(linked, rules).reasons
            shown = _without(_own(found, keys), small)
            views[view_name(product, name)] = shown
            levels[view_name(product, name)] = _levels(shown, table, {**small, **why}, least)
    people = {part: found.people for part, found in levels[MASTER].items()}
    return Protected(_own(_merged(master, shares), own), views, costs, people, work.exposed, levels)


def keys_of(name: str, given: AudienceTable, period: Period, base: BasePeriod, frame: Frame) -> tuple[Key, ...]:
    """Cells of the period that an audience's table shows; none when the period does not close that table."""
    if {"period": base, "region_year": "year"}.get(name, "quarter") != period.kind:
        return ()
    return tuple(
        key
        for key in frame.keys
        if key[0] == period.key and key[2] not in UNSHOWN and _part_of(key, frame) in given.parts
    )


def _part_of(key: Key, frame: Frame) -> Part:
    """What a cell is: the course, or a module, region or country of it."""
    if key[1] != ALL:
        return "module"
    if key[2] == ALL:
        return "course"
    return "region" if key[2] in frame.dimensions[2].children[ALL] else "country"


def _levels(cells: Cells, table: Table, why: Why, least: int) -> Levels:
    """By part, which cells show how many started, and which rule withheld the others. Where nobody's place is unknown,
    nothing is withheld for it."""
    found: dict[str, list[tuple[int, str | None]]] = defaultdict(list)
    for cell in cells:
        count = table.facts[cell.key].counts[STARTERS]
        rule = None if cell.values[STARTERS] is not None else why[Entry(cell.key, STARTERS)]
        if count or cell.key[2] not in UNSHOWN:
            found[_part_of(cell.key, table.frame)].append((count, rule))
    return {part: level(counts, least) for part, counts in sorted(found.items())}


def told(cells: Iterable[PublishedCell]) -> dict[Entry, int | str | None]:
    """Every number of several tables; shown in one, it is shown."""
    found: dict[Entry, int | str | None] = {}
    for cell in cells:
        for name, value in cell.values.items():
            entry = Entry(cell.key, name)
            found[entry] = value if value is not None else found.get(entry)
    return found


class _Work:
    """Masks of one course, with what they cost and whether they hold."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open
        self.costs: Counter[str] = Counter()
        self.exposed = 0

    def protect(
        self, table: Table, rules: Rules, before: Told, withheld: Collection[Entry] = (), corrects: Sequence[Cells] = ()
    ) -> tuple[Cells, Why]:
        """Cells of a table, and why entries are withheld. What was told ``before`` stays as told; what the master
        ``withheld`` stays withheld.

        What may not follow one of the tables that this ``corrects`` is withheld too, and the table closed again.
        """
        names = {*(m.name for m in table.frame.measures), *(a.name for a in table.frame.amounts)}
        every = {Entry(key, name) for key in table.frame.keys for name in names}
        before = {entry: value for entry, value in before.items() if entry in every}
        shown = {entry for entry, value in before.items() if value is not None}
        given = ({*before, *withheld} & every) - shown
        nowhere = {entry for entry in every if entry.key[2] in UNSHOWN} - shown
        given |= nowhere
        revised: set[Entry] = set()
        while True:
            mask = protect(table, rules, given=given, shown=shown, is_open=self.is_open)
            found = tuple(
                PublishedCell(cell.key, {n: before.get(Entry(cell.key, n), v) for n, v in cell.values.items()})
                for cell in publish(table, mask, rules)
            )
            wrong = {entry for old in corrects for entry in _not_following(old, found, table.frame)} - shown - given
            if not wrong:
                break
            given |= wrong
            revised |= wrong
        self.costs.update(mask.costs)
        needs = {entry: need for entry, need in mask.needs.items() if entry not in mask.unmet}
        with suppress(Contradiction):  # a part's numbers may be older than those of today: people left since
            self.exposed += len(too_narrow(audit(found, table.frame, rules, needs)))
        given_by = {
            **dict.fromkeys(before, "given"),
            **dict.fromkeys(withheld, "nested"),
            **dict.fromkeys(revised, "revised"),
        }
        named = {e: given_by[e] if reason == "given" else reason for e, reason in mask.reasons.items()}
        return found, {**named, **dict.fromkeys(nowhere, "unshown")}


def _not_following(old: Cells, new: Cells, frame: Frame) -> set[Entry]:
    """Entries whose value in a file may not follow the one that was there before."""
    measure_of = {share_of(m.name): m.name for m in frame.measures}
    before = told(old)
    return {
        Entry(cell.key, measure_of.get(name, name))
        for cell in new
        for name, value in cell.values.items()
        if name in IN_FILES and (entry := Entry(cell.key, name)) in before and not may_follow(before[entry], value)
    }


def _with(keys: Iterable[Key], others: Collection[Key], frame: Frame) -> tuple[Key, ...]:
    wanted = {*keys, *others}
    return tuple(key for key in frame.keys if key in wanted)


def _own(cells: Iterable[PublishedCell], keys: Collection[Key]) -> Cells:
    wanted = set(keys)
    return tuple(cell for cell in cells if cell.key in wanted)


def _withheld(cells: Iterable[PublishedCell]) -> set[Entry]:
    return {Entry(cell.key, name) for cell in cells for name, value in cell.values.items() if value is None}


def _merged(cells: Iterable[PublishedCell], others: Iterable[PublishedCell]) -> Cells:
    """Both tables' numbers of each cell of the first."""
    more = {cell.key: cell.values for cell in others}
    return tuple(PublishedCell(cell.key, {**cell.values, **more.get(cell.key, {})}) for cell in cells)


def _without(cells: Cells, small: Collection[Entry]) -> Cells:
    """A table with a higher threshold says nothing below it, even where another table of the audience does."""
    return tuple(
        PublishedCell(cell.key, {n: None if Entry(cell.key, n) in small else v for n, v in cell.values.items()})
        for cell in cells
    )
