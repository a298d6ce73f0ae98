"""Numbers about staged packs for the gate, from the bytes as read back. Pure: no store, no clock.

Three looks, each with eyes of its own: at the files by themselves; at the files against the protected masters; and
that of an attacker, who knows no true number: with one pack, with all packs of a course, and with everything that was
protected of the course before in the same quarter or year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from privacy_ops.disclosure.linked.audit import Contradiction, audit, too_narrow
from privacy_ops.disclosure.linked.cells import Need, PublishedCell, share_of
from privacy_ops.disclosure.linked.compare import compare, compare_revisions, refused_corrections
from privacy_ops.disclosure.linked.frame import Entry, Frame, Key
from privacy_ops.disclosure.linked.publish import project
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.usage import frames, periods
from privacy_ops.usage.drawing import Draws
from privacy_ops.usage.files import report, verify
from privacy_ops.usage.files.model import PackContent
from privacy_ops.usage.files.read import Unreadable, csv_table
from privacy_ops.usage.files.text import safe
from privacy_ops.usage.frames import ALL, COHORT, COMPLETERS, FINISHED, MINUTES, PASSED, STARTERS
from privacy_ops.usage.master import Master, Masters
from privacy_ops.usage.pack import EVERYWHERE, FileTable, file_tables, public_rows
from privacy_ops.usage.periods import Kind, Period
from privacy_ops.usage.plan import PlannedPack
from privacy_ops.usage.protecting import References
from privacy_ops.usage.release_spec import ReleaseSpec

# Of files, as cells name them; shares are of cohorts, which nobody publishes.
_NUMBERS = (STARTERS, COMPLETERS, MINUTES)
_SHARES = (share_of(FINISHED), share_of(PASSED))


@dataclass
class Metrics:
    """One row for the gate. Everything but ``packs`` must be 0."""

    packs: int = 0
    packs_off_plan: int = 0
    uncovered: int = 0
    small_counts: int = 0
    unrounded_counts: int = 0
    wrong_flags: int = 0
    exposed_masters: int = 0
    exposed_cells: int = 0
    contradictions: int = 0
    narrowed_cells: int = 0
    wrong_columns: int = 0
    wrong_grain: int = 0
    wrong_rows: int = 0
    wrong_values: int = 0
    unknown_values: int = 0
    wrong_files: int = 0
    wrong_metadata: int = 0
    hidden_data: int = 0
    identifiers: int = 0
    formulas: int = 0
    refused_corrections: int = 0
    restated: int = 0
    overspent: int = 0

    def row(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))


# Which metric counts what is found in the files of a pack.
_FINDINGS = {
    "missing_files": "wrong_files",
    "unlisted_files": "wrong_files",
    "bad_hashes": "wrong_files",
    "bad_signatures": "wrong_files",
    "unreadable_files": "wrong_files",
    "unknown_columns": "wrong_columns",
    "missing_columns": "wrong_columns",
    "undocumented_columns": "wrong_columns",
    "mismatching_values": "wrong_values",
    "misplaced_rows": "wrong_grain",
    "metadata_violations": "wrong_metadata",
    "hidden_data": "hidden_data",
    "active_content": "hidden_data",
    "flag_violations": "wrong_flags",
    "unrounded_counts": "unrounded_counts",
    "small_counts": "small_counts",
    "unknown_values": "unknown_values",
    "formula_cells": "formulas",
    "personal_values": "identifiers",
}


def measure(
    contents: Mapping[PlannedPack, PackContent],
    planned: Iterable[PlannedPack],
    staged: Mapping[str, Mapping[str, bytes]],
    masters: Masters,
    beside: Mapping[tuple[str, Period], Sequence[Master]],
    references: References,
    public_keys: tuple[bytes, ...],
    replaced: Mapping[PlannedPack, Sequence[Mapping[str, bytes]]] | None = None,
    draws: Draws | None = None,
) -> Metrics:
    """Metrics of ``staged`` (files by pack prefix).

    ``contents``: what each fresh pack has to say; packs that were released before are held to their registered hash
    only. ``beside``: by course and period, all masters of other periods whose numbers hang together with its own.
    ``replaced``: files of every revision that a correction takes the place of. ``uncovered``, ``restated`` and
    ``overspent`` are left at 0 for the caller, who asks the database. ``draws``: noisy counts by period.
    """
    prefixes = {pack.prefix for pack in planned}
    found = Metrics(packs=len(staged), packs_off_plan=len(prefixes ^ set(staged)))
    told: dict[tuple[str, str], list[PublishedCell]] = defaultdict(list)
    before: dict[str, list[PublishedCell]] = defaultdict(list)
    for pack, content in contents.items():
        files = staged.get(pack.prefix, {})
        for name, count in verify.inspect(files, verify.expected_of(content, public_keys)).counts().items():
            metric = _FINDINGS[name]
            setattr(found, metric, getattr(found, metric) + count)
        try:
            found.wrong_values += verify.differences_from(content, files)
            found.wrong_values += files["report.html"] != report.write(content)
            cells = _cells(pack, content, files, references.spec)
            found.wrong_rows += _rows_off_list(pack, files, masters, draws or {}, references)
        except (Unreadable, KeyError):
            found.wrong_files += 1
            continue
        charts = _chart_cells(pack, content, references.spec)
        for course, every_table in cells.items():
            # Noise is no promise of an interval: what is drawn is held to its draw and its budget instead.
            by_table = {table: cells_ for table, cells_ in every_table.items() if table.profile == "threshold"}
            if not by_table:
                continue
            master = masters[course, pack.period.key]
            keys = set(_frame(master, pack.period, references).keys)
            beside_them = [cell for cell in charts.get(course, ()) if cell.key in keys]
            _attack_pack(master, pack, by_table, beside_them, references, found)
            every = [cell for part in (*by_table.values(), beside_them) for cell in part]
            told[course, pack.period.key] += [_only(cell, _NUMBERS) for cell in every]
        for revision in (replaced or {}).get(pack, ()):
            older = _judge_correction(pack, content, revision, files, references.spec, found)
            for course, known in older.items():
                before[course] += known
    used = {(course, key): masters[course, key] for course, key in told}
    found.exposed_masters = sum(master.protected.exposed for master in used.values())
    least = references.spec.rules().min_people
    for (course, key), every in told.items():
        found.small_counts += sum(_differ_by_few(cell, least) for cell in every)
        period = next(pack.period for pack in contents if pack.period.key == key)
        frame = _frame(masters[course, key], period, references)
        family = beside.get((course, period), ())
        _attack_family(masters[course, key], every, family, frame, references.spec, found)
        if course in before:
            _attack_revisions(masters[course, key], before[course], every, family, frame, references.spec, found)
    return found


def _rows_off_list(
    pack: PlannedPack, files: Mapping[str, bytes], masters: Masters, draws: Draws, references: References
) -> int:
    """Rows of the public list that a CSV file does not have, and rows that it has beside them; a table that is not
    there lacks all of its own. Raises Unreadable, KeyError."""
    found = 0
    listed = public_rows(pack, masters, draws, references.places, references.spec)
    for table in file_tables(pack, references.spec):
        name = f"{table.spec.name}.csv"
        said: set[tuple[str, ...]] = set()
        if name in files:
            read = csv_table(files[name], [measure.name for measure in table.spec.measures if measure.kind == "count"])
            places = [read.header.index(dimension.name) for dimension in table.spec.dimensions]
            said = {tuple(str(row[place]) for place in places) for row in read.rows}
        wanted = {tuple(map(safe, key)) for key in listed.get(table.spec.name, ())}
        found += len(said ^ wanted)
    return found


def _judge_correction(
    pack: PlannedPack,
    content: PackContent,
    old: Mapping[str, bytes],
    new: Mapping[str, bytes],
    spec: ReleaseSpec,
    found: Metrics,
) -> dict[str, list[PublishedCell]]:
    """Hold two revisions of a pack's files against each other; returns the older one's cells by course."""
    try:
        found.refused_corrections += len(refused_corrections(_every_value(content, old), _every_value(content, new)))
        cells = _cells(pack, content, old, spec)
    except (Unreadable, KeyError):
        found.refused_corrections += 1  # the rows must stay the rows
        return {}
    return {
        course: [_only(cell, _NUMBERS) for part in by_table.values() for cell in part]
        for course, by_table in cells.items()
    }


def _every_value(content: PackContent, files: Mapping[str, bytes]) -> Iterator[PublishedCell]:
    """Every measure of every row of the CSV files, shares too. Raises Unreadable, KeyError."""
    for table in content.tables:
        spec = table.spec
        read = csv_table(files[f"{spec.name}.csv"], [m.name for m in spec.measures if m.kind == "count"])
        for row in read.rows:
            said = dict(zip(read.header, row, strict=True))
            key = (spec.name, *(str(said[dimension.name]) for dimension in spec.dimensions))
            yield PublishedCell(key, {measure.name: said[measure.name] for measure in spec.measures})


def _differ_by_few(cell: PublishedCell, least: int) -> bool:
    """Whether starters and completers, shown side by side, tell of the few who did only one of both."""
    starters, completers = cell.values.get(STARTERS), cell.values.get(COMPLETERS)
    return isinstance(starters, int) and isinstance(completers, int) and abs(starters - completers) < least


def _cells(
    pack: PlannedPack, content: PackContent, files: Mapping[str, bytes], spec: ReleaseSpec
) -> dict[str, dict[FileTable, list[PublishedCell]]]:
    """Cells by course and table as the CSV files say them. Raises Unreadable, KeyError."""
    found: dict[str, dict[FileTable, list[PublishedCell]]] = defaultdict(lambda: defaultdict(list))
    tables = {table.spec.name: table for table in file_tables(pack, spec)}
    for listed in content.tables:
        table = tables[listed.spec.name]
        counts = [measure.name for measure in listed.spec.measures if measure.kind == "count"]
        columns = {number: measure.name for number, measure in zip(table.numbers, listed.spec.measures, strict=True)}
        keys = {tuple(map(safe, row.key)): row.key for row in listed.rows}
        read = csv_table(files[f"{listed.spec.name}.csv"], counts)
        for row in read.rows:
            said = dict(zip(read.header, row, strict=True))
            key = keys[tuple(str(said[d.name]) for d in listed.spec.dimensions)]
            values = {n: _as_told(said[columns[n]]) for n in (*_NUMBERS, *_SHARES) if n in columns}
            found[key[1]][table].append(PublishedCell(_key(table, key), values))
    return found


def _chart_cells(pack: PlannedPack, content: PackContent, spec: ReleaseSpec) -> dict[str, list[PublishedCell]]:
    """Cells by course of other periods, which only the charts of the report show."""
    found: dict[str, list[PublishedCell]] = defaultdict(list)
    for listed in content.history:
        for row in listed.rows:
            part = periods.from_key(row.key[0], pack.period.timezone)
            table = next(t for t in file_tables(replace(pack, period=part), spec) if t.spec == listed.spec)
            told = dict(zip(table.numbers, row.values, strict=True))
            values = {name: _as_told(told[name]) for name in _NUMBERS if name in told}
            found[row.key[1]].append(PublishedCell(_key(table, row.key), values))
    return found


def _key(table: FileTable, told: tuple[str, ...]) -> Key:
    """The cell of a row."""
    period, _, *rest = told
    part = rest[0] if rest else ALL
    if part == EVERYWHERE:
        part = ALL
    return (period, part, ALL) if table.parts[-1] == "module" else (period, ALL, part)


def _as_told(value: int | str | None) -> int | str | None:
    return value.replace(" to ", "-") if isinstance(value, str) else value


def _frame(master: Master, period: Period, references: References) -> Frame:
    """The master's period with all it is linked to: above it, too, when it lies in a quarter."""
    if period.kind in {"week", "block"}:
        period = periods.of_kind(period.windows()[0], "quarter")
    return frames.activity_frame(period, master.base, master, references.places, references.spec)


def _attack_pack(
    master: Master,
    pack: PlannedPack,
    tables: Mapping[FileTable, list[PublishedCell]],
    charts: Sequence[PublishedCell],
    references: References,
    found: Metrics,
) -> None:
    """Each table alone, by its own threshold, and all tables and charts of the pack together, by the master's."""
    frame = _frame(master, pack.period, references)
    spec = references.spec
    plain = {table: [_only(cell, _NUMBERS) for cell in cells] for table, cells in tables.items()}
    for table, cells in plain.items():
        rules = spec.rules(pack.product, table.name)
        found.exposed_cells += _exposed(cells, frame, rules, found)
        if any(name in table.numbers for name in _SHARES):
            inverted = frames.inverted_frame(pack.period, master, references.places)
            shares = [_only(cell, (STARTERS, *_SHARES)) for cell in tables[table]]
            found.exposed_cells += _exposed_shares(shares, inverted, rules, found)
    if charts or len(tables) > 1:
        every = [cell for cells in (*plain.values(), charts) for cell in cells]
        found.exposed_cells += _exposed(every, frame, spec.rules(), found)


def _only(cell: PublishedCell, names: Collection[str]) -> PublishedCell:
    return PublishedCell(cell.key, {name: value for name, value in cell.values.items() if name in names})


def _exposed(cells: Sequence[PublishedCell], frame: Frame, rules: Rules, found: Metrics) -> int:
    try:
        return len(too_narrow(audit(cells, frame, rules)))
    except Contradiction:
        found.contradictions += 1
        return 0


def _attack_family(
    master: Master,
    cells: Sequence[PublishedCell],
    earlier: Sequence[Master],
    frame: Frame,
    spec: ReleaseSpec,
    found: Metrics,
) -> None:
    """All packs of a course together, and with everything that was ever protected beside it: a coalition of all.

    Only the master's threshold is claimed against coalitions: what its masks withhold must stay that wide.
    """
    before = [project(one.protected.master, frame.keys, _NUMBERS) for one in earlier]
    own = project(master.protected.master, frame.keys, _NUMBERS)
    needs = _needs((*own, *(cell for one in before for cell in one)), spec)
    compared = compare(before, cells, frame, spec.rules(), needs)
    found.narrowed_cells += len(compared.narrowed) + len(compared.before)
    found.contradictions += compared.contradiction is not None


def _needs(cells: Iterable[PublishedCell], spec: ReleaseSpec) -> dict[Entry, Need]:
    """How wide what is withheld must stay: counts by the threshold, minutes by a part of what they may be, for one
    person or institution may make them up."""
    limits = spec.thresholds
    count, minutes = Need(limits.min_people), Need(0.0, part=limits.protect_share / 100)
    return {
        Entry(cell.key, name): minutes if name == MINUTES else count
        for cell in cells
        for name in _NUMBERS
        if name in cell.values and cell.values[name] is None
    }


def _exposed_shares(cells: Sequence[PublishedCell], frame: Frame, rules: Rules, found: Metrics) -> int:
    """Withheld shares whose count can be told by inverting the other shares of the file, given its starters."""
    inside = {measure.name: share_of(measure.name) for measure in frame.measures if measure.share}
    hidden = dict.fromkeys((COHORT, *inside))
    shown = [PublishedCell(cell.key, {**hidden, **cell.values}) for cell in cells]
    width = Need(width=rules.min_people)
    needs = {
        Entry(cell.key, name): width
        for cell in cells
        for name, share in inside.items()
        if share in cell.values and cell.values[share] is None
    }
    try:
        return len(too_narrow(audit(shown, frame, rules, needs))) if needs else 0
    except Contradiction:
        found.contradictions += 1
        return 0


def _attack_revisions(
    master: Master,
    older: Sequence[PublishedCell],
    newest: Sequence[PublishedCell],
    family: Sequence[Master],
    frame: Frame,
    spec: ReleaseSpec,
    found: Metrics,
) -> None:
    """Who kept older revisions, of this period or of others, puts their values where the newest withhold them.

    Judged is what nobody was ever shown: a number that a stricter reader's file withholds and the master shows has no
    need, as in every look at several packs together.
    """
    inside = set(frame.keys)
    own = [cell for one in (master, *family) for cell in project(one.protected.master, frame.keys, _NUMBERS)]
    today = [*own, *newest]
    then = [cell for cell in older if cell.key in inside]
    known = {Entry(cell.key, n) for cell in (*today, *then) for n, value in cell.values.items() if value is not None}
    needs = {entry: need for entry, need in _needs(today, spec).items() if entry not in known}
    try:
        found.narrowed_cells += len(compare_revisions(today, then, frame, spec.rules(), needs))
    except Contradiction:
        found.contradictions += 1  # of the newest numbers alone


def family_keys(period: Period) -> tuple[str, ...]:
    """Every other period whose numbers hang together with these: of the quarter, or of the year's quarters."""
    if period.kind == "year":
        return tuple(quarter.key for quarter in periods.within(period, "quarter"))
    quarter = periods.of_kind(period.windows()[0], "quarter")
    finer: tuple[Kind, ...] = ("week", "block")
    inside = (p for kind in finer for p in periods.within(quarter, kind))
    return tuple(p.key for p in (*inside, quarter) if p.key != period.key)
