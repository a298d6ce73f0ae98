"""What a pack says: rows and columns of protected masters, put into the tables of its audience. Pure, no arithmetic."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from privacy_ops.disclosure.linked.cells import PublishedCell, share_of
from privacy_ops.disclosure.linked.frame import Key
from privacy_ops.disclosure.noise import Noise
from privacy_ops.usage import counting, frames
from privacy_ops.usage.drawing import Draws
from privacy_ops.usage.files.model import Dimension, Flag, Measure, PackContent, Row, Table, TableSpec, Value
from privacy_ops.usage.frames import ALL, COMPLETERS, FINISHED, MINUTES, PASSED, STARTERS, parts_of
from privacy_ops.usage.master import Master, Masters
from privacy_ops.usage.periods import Kind, Period
from privacy_ops.usage.places import Places
from privacy_ops.usage.plan import Grant, PlannedPack
from privacy_ops.usage.protection import cells_of, keys_of
from privacy_ops.usage.release_spec import METHOD, BasePeriod, Part, Profile, ReleaseSpec
from privacy_ops.usage.view import PublicCourse

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "md": "text/markdown; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
EVERYWHERE = "all regions"
_TIMES: dict[Kind, Dimension] = {
    "week": Dimension("iso_week", "Week", "ISO week, Monday to Sunday in London, such as 2026-W47"),
    "block": Dimension("block", "Block", "four, four or five weeks of an ISO quarter (six in a long year): 2026-Q4-B2"),
    "quarter": Dimension("quarter", "Quarter", "ISO quarter: weeks 01-13, 14-26, 27-39 or 40-52/53, such as 2026-Q4"),
    "year": Dimension("iso_year", "Year", "ISO year: whole weeks, such as 2026"),
}
_COURSE = Dimension("course_id", "Course", "the publisher's number of the course", "course_title")
_PARTS: dict[str, Dimension] = {
    "module": Dimension("module_id", "Module", "the publisher's number of the module", "module_title"),
    "region": Dimension(
        "region", "World region", "region of the United Nations' standard M49 in which people live", whole=EVERYWHERE
    ),
    "country": Dimension(
        "country", "Country", "ISO code of the country in which people live", "country_name", whole=EVERYWHERE
    ),
}
# By name in the spec: the file's column, and the number of a protected cell that it shows.
_SOURCES = {
    "starters": ("n_starters", STARTERS),
    "completers": ("n_completers", COMPLETERS),
    "mean_minutes": ("mean_minutes_band", MINUTES),
    "completion_share": ("completion_share_band", share_of(FINISHED)),
    "pass_share": ("pass_share_band", share_of(PASSED)),
}


@dataclass(frozen=True)
class FileTable:
    """One table of an audience: which cells its file shows. ``name``: of the spec's table."""

    name: counting.Table
    spec: TableSpec
    parts: tuple[Part, ...]
    numbers: tuple[str, ...]
    profile: Profile = "threshold"


def pack_sha256(files: Mapping[str, bytes]) -> str:
    """One hash over names and bytes of all files."""
    lines = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def shown_columns(content: PackContent) -> list[str]:
    """Every dimension and measure that a pack shows, named with its table: new ones are approved by a person."""
    return [
        f"{table.spec.name}.{name}"
        for table in content.tables
        for name in (*(d.name for d in table.spec.dimensions), *(m.name for m in table.spec.measures))
    ]


def content_type(name: str) -> str:
    return CONTENT_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")


def content_of(
    pack: PlannedPack,
    masters: Masters,
    places: Places,
    spec: ReleaseSpec,
    contact: str,
    withdrawn: Collection[str] | None = None,
    draws: Draws | None = None,
) -> PackContent:
    """All that a pack says. Raises KeyError when a master, or the draw, of its period is missing.

    ``withdrawn``: periods inside this one of which the recipient's release was withdrawn; then the charts over time
    show the other ones, from their masters. None: no charts.
    """
    drawn = draws or {}
    tables = [(table, list(_rows(table, pack, masters, drawn, places, spec))) for table in file_tables(pack, spec)]
    return PackContent(
        release_id=pack.release_id,
        product=pack.product,
        recipient_name=pack.recipient_name,
        period_key=pack.period.key,
        first_day=pack.period.monday,
        last_day=pack.period.last_day,
        spec_version=spec.spec_version,
        method_version=METHOD,
        tables=tuple(Table.of(table.spec, rows) for table, rows in tables if rows),
        rules=sentences(pack, spec),
        contact=contact,
        supersedes=pack.replaces.release_id if pack.replaces else None,
        history=() if withdrawn is None else tuple(_history(pack, masters, places, spec, withdrawn)),
    )


def parts_shown(pack: PlannedPack, masters: Masters) -> dict[Period, tuple[str, ...]]:
    """Periods inside the pack's of which its charts tell, with the courses that each tells of: a quarter's weeks or
    blocks, a year's quarters. Follows from window, spec and base periods, never from what is released already."""
    found: dict[Period, list[str]] = defaultdict(list)
    for grant in pack.grants:
        if grant.course_id in pack.drawn_only:
            continue
        for part in parts_of(pack.period, masters[grant.course_id, pack.period.key].base):
            found[part].append(grant.course_id)
    return {part: tuple(courses) for part, courses in sorted(found.items())}


def _history(
    pack: PlannedPack, masters: Masters, places: Places, spec: ReleaseSpec, withdrawn: Collection[str]
) -> Iterator[Table]:
    """What the recipient may see of each part, but for countries: hundreds of charts tell nobody anything."""
    found: dict[TableSpec, list[Row]] = defaultdict(list)
    for part, courses in parts_shown(pack, masters).items():
        if part.key in withdrawn:
            continue
        within = replace(pack, period=part, grants=tuple(g for g in pack.grants if g.course_id in courses))
        for table in file_tables(within, spec):
            if table.parts[-1] != "country" and table.profile == "threshold":
                found[table.spec] += _rows(table, within, masters, {}, places, spec)
    yield from (Table.of(told, rows) for told, rows in found.items() if rows)


def file_tables(pack: PlannedPack, spec: ReleaseSpec) -> Iterator[FileTable]:
    """Tables of the pack's audience that can close with its period. Courses and modules have a file each."""
    rules = spec.rules()
    bands = {
        "mean_minutes": _readable(rules.amount_bands.labels()),
        "completion_share": _readable(rules.share_bands.labels()),
        "pass_share": _readable(rules.share_bands.labels()),
    }
    for name, given in spec.audiences[pack.product].tables.items():
        if not _closes(name, given.profile, pack.period.kind):
            continue
        measures = tuple(_measure(measure, bands.get(measure, ()), given.profile) for measure in given.measures)
        numbers = tuple(_SOURCES[measure][1] for measure in given.measures)
        # A total stands with the regions that add up to it; modules do not add up, so they have a file of their own.
        whole: tuple[tuple[Part, ...], ...] = ((*given.parts,),)
        if name == "period":
            whole = tuple((part,) for part in given.parts)
        for parts in whole:
            finest = parts[-1]
            dimensions = (_TIMES[pack.period.kind], _COURSE, *([_PARTS[finest]] if finest != "course" else []))
            yield FileTable(
                name,
                TableSpec(
                    f"usage_by_{finest}_{pack.period.kind}",
                    f"Use by {finest} and {pack.period.kind}",
                    f"People who used each course, one row per {finest}",
                    dimensions,
                    measures,
                    spec.min_people(pack.product, name),
                    spec.thresholds.round_to,
                ),
                parts,
                numbers,
                given.profile,
            )


def _closes(table: counting.Table, profile: Profile, kind: Kind) -> bool:
    if profile == "differential_privacy":
        return ReleaseSpec.draws(kind, table)
    return kind == "year" if table == "region_year" else kind == "quarter" if table != "period" else kind != "year"


def _readable(labels: Iterable[str]) -> tuple[str, ...]:
    """A spreadsheet may read ``5-15`` as a day in May."""
    return tuple(label.replace("-", " to ") for label in labels)


def _measure(name: str, bands: tuple[str, ...], profile: Profile) -> Measure:
    said = {
        "starters": ("Starters", "people who started it, or one of its modules, in the period, rounded"),
        "completers": ("Completers", "people who completed it, or one of its modules, in the period, rounded"),
        "mean_minutes": ("Minutes per person", "band of the mean minutes of all who used it: lower edge in, upper out"),
        "completion_share": ("Completed, per cent", "of those who first started in the quarter: band of the share"),
        "pass_share": ("Passed, per cent", "of those who first started in the quarter: band of the share"),
    }
    title, description = said[name]
    if profile == "differential_privacy":
        description = description.replace(", rounded", ": a noisy count, rounded")
    return Measure(_SOURCES[name][0], "band" if bands else "count", title, description, bands)


def _rows(
    table: FileTable, pack: PlannedPack, masters: Masters, draws: Draws, places: Places, spec: ReleaseSpec
) -> Iterator[Row]:
    names = {country.code: country.name for country in places.countries}
    for grant in pack.grants:
        public, cells = _shown(table, pack, grant, masters, draws, places, spec)
        if public is None:
            continue
        titles = dict(public.modules)
        for cell in cells:
            _, module, place = cell.key
            labels: tuple[str | None, ...] = (None, public.title)
            match table.parts[-1]:
                case "module":
                    labels = (*labels, titles[module])
                case "country":
                    labels = (*labels, names[place])
                case "region":
                    labels = (*labels, None)
            values = tuple(_value(cell.values[number]) for number in table.numbers)
            flags: tuple[Flag, ...] = tuple("withheld" if value is None else "published" for value in values)
            yield Row(_row_key(table, grant.course_id, cell.key), labels, values, flags)


def _shown(
    table: FileTable,
    pack: PlannedPack,
    grant: Grant,
    masters: Masters,
    draws: Draws,
    places: Places,
    spec: ReleaseSpec,
) -> tuple[Master | PublicCourse | None, list[PublishedCell]]:
    """A course as it was when it was protected or drawn, and its cells; None where the table has nothing of it: a
    course that goes by draws alone, or that came after the draw."""
    if table.profile == "threshold":
        if grant.course_id in pack.drawn_only:
            return None, []
        master = masters[grant.course_id, pack.period.key]
        return master, shown_cells(table, pack, grant, master, places, spec)
    drawn = draws[pack.period.key]
    cells = [
        cell
        for cell in drawn.cells.get(grant.course_id, ())
        if _drawn_part(cell.key, places) in table.parts and _may_see(grant, cell.key)
    ]
    names = set(table.numbers)
    cells = [PublishedCell(cell.key, {n: v for n, v in cell.values.items() if n in names}) for cell in cells]
    return drawn.courses.get(grant.course_id), cells


def _drawn_part(key: Key, places: Places) -> Part:
    if key[1] != ALL:
        return "module"
    return "course" if key[2] == ALL else "region" if key[2] in places.regions else "country"


def shown_cells(
    table: FileTable, pack: PlannedPack, grant: Grant, master: Master, places: Places, spec: ReleaseSpec
) -> list[PublishedCell]:
    """Cells of a course that a table shows: of some modules only, when the grant names them."""
    given = spec.audiences[pack.product].tables[table.name].model_copy(update={"parts": table.parts})
    frame = frames.activity_frame(pack.period, master.base, master, places, spec)
    keys = set(keys_of(table.name, given, pack.period, master.base, frame))
    cells = [cell for cell in cells_of(master.protected, pack.product, table.name) if cell.key in keys]
    return [cell for cell in cells if _may_see(grant, cell.key)]


def public_rows(
    pack: PlannedPack, masters: Masters, draws: Draws, places: Places, spec: ReleaseSpec
) -> dict[str, frozenset[tuple[str, ...]]]:
    """Keys of every row that each table of the pack has to have: what is public says it, and no count.

    From the course's modules, the lists of places, the grants and the spec alone, so that a cell that was lost on its
    way is missed. Raises KeyError when a master, or the draw, of its period is missing.
    """
    found: dict[str, frozenset[tuple[str, ...]]] = {}
    for table in file_tables(pack, spec):
        rows: set[tuple[str, ...]] = set()
        for grant in pack.grants:
            public, base = _public(table, pack, grant, masters, draws)
            if public is None:
                continue
            given = spec.audiences[pack.product].tables[table.name].model_copy(update={"parts": table.parts})
            frame = frames.activity_frame(pack.period, base, public, places, spec)
            keys = keys_of(table.name, given, pack.period, base, frame)
            rows |= {_row_key(table, grant.course_id, key) for key in keys if _may_see(grant, key)}
        if rows:
            found[table.spec.name] = frozenset(rows)
    return found


def _public(
    table: FileTable, pack: PlannedPack, grant: Grant, masters: Masters, draws: Draws
) -> tuple[Master | PublicCourse | None, BasePeriod]:
    """The public side of a course as a table has it, and the base period by which the table closes with the pack."""
    kind = pack.period.kind
    if table.profile == "differential_privacy":  # by its own calendar, whatever a course's base period
        return draws[pack.period.key].courses.get(grant.course_id), "quarter" if kind == "year" else kind
    if grant.course_id in pack.drawn_only:
        return None, "quarter"
    master = masters[grant.course_id, pack.period.key]
    return master, master.base


def _row_key(table: FileTable, course_id: str, key: Key) -> tuple[str, ...]:
    """A cell's key as the files have it."""
    period, module, place = key
    match table.parts[-1]:
        case "module":
            return (period, course_id, module)
        case "country":
            return (period, course_id, place)
        case "region":
            return (period, course_id, EVERYWHERE if place == ALL else place)
        case _:
            return (period, course_id)


def _may_see(grant: Grant, key: Key) -> bool:
    """Who wrote some modules sees those, and no course, region or country."""
    return grant.covers(key[1]) if key[1] != ALL else not grant.modules


def _value(value: int | str | None) -> Value:
    return value.replace("-", " to ") if isinstance(value, str) else value


def sentences(pack: PlannedPack, spec: ReleaseSpec) -> tuple[str, ...]:
    """The method in plain words."""
    audience = spec.audiences[pack.product]
    profiles = {t.profile for name, t in audience.tables.items() if _closes(name, t.profile, pack.period.kind)}
    said = [
        "Staff, automated accounts, people who objected, restricted accounts and people who may be under 18 are left "
        "out."
    ]
    if "threshold" in profiles:
        said += _thresholds(pack, spec)
    if "differential_privacy" in profiles:
        said += _noise(pack, spec)
    said.append(
        "A person may use several modules and come back in several weeks: modules do not add up to courses, and weeks "
        "do not add up to quarters."
    )
    if "threshold" in profiles:
        said.append("Shares are of the people who started the course for the first time in that quarter.")
    return tuple(said)


def _thresholds(pack: PlannedPack, spec: ReleaseSpec) -> list[str]:
    limits, audience = spec.thresholds, spec.audiences[pack.product]
    stricter = sorted({t.min_people for t in audience.tables.values() if t.min_people})
    return [
        f"Nothing is said about fewer than {limits.min_people} people, about people from fewer than "
        f"{audience.min_institutions} institutions or mostly from one, nor of a course that never had "
        f"{limits.lifetime_min_learners} learners.",
        *(f"By world region and quarter, nothing is said about fewer than {least} people." for least in stricter),
        f"Completers are withheld where they and the starters differ by fewer than {limits.min_people}.",
        f"At most {spec.measures.mean_minutes.cap_per_day} minutes of a person's day are counted.",
        "Further figures are withheld so that no withheld one can be worked out; then counts are rounded to the "
        f"nearest {limits.round_to}.",
    ]


def _noise(pack: PlannedPack, spec: ReleaseSpec) -> list[str]:
    """The second profile, for somebody who never heard of it."""
    rules = spec.differential_privacy
    if rules is None or pack.period.kind == "block":
        return []
    rho = rules.rho[pack.period.kind]
    scale = round(Noise(Fraction(rho), rules.cells_per_person).scale)
    return [
        "Noisy counts: before anything else was done with it, a random number was added to each count, also to those "
        f"that are none. Two of three are off by less than {scale}, nineteen of twenty by less than {2 * scale}; the "
        "small ones are not to be trusted, and differences of two counts less still.",
        f"What is below {rules.least_shown} after that is withheld: nobody looked at how many people it really is. The "
        f"rest is rounded to the nearest {spec.thresholds.round_to}.",
        f"One person is in {rules.cells_per_person} of all these counts at most; which, goes by an order that is the "
        "same for everybody and known beforehand. Counts are therefore a little low where people do much.",
        "The random numbers were drawn once and are kept: asking again gives the same ones.",
        "This is differential privacy: whether any one person was there changes the chance of every possible result "
        f"so little that nobody can tell. It is measured, in zero-concentrated terms: {rho} for this period, and never "
        f"more than {rules.rho_per_year} for a person in a year. When that is used up, nothing further is released.",
    ]
