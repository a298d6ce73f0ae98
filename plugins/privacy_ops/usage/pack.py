"""The files of one pack: deterministic bytes, and reading them back.

CSV in UTF-8 with LF, quoted as RFC 4180 says, sorted by dimensions, safe to open in a spreadsheet. Nothing in a
pack tells which run made it or when.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from privacy_ops.disclosure.cells import PublishedCell
from privacy_ops.errors import ReleaseRefused
from privacy_ops.usage.master import Master
from privacy_ops.usage.plan import PlannedPack
from privacy_ops.usage.spec import Spec
from privacy_ops.usage.weeks import Window

TABLE_OF = {"EXP-SUPPORTER": "usage_by_course_week.csv", "EXP-AUTHOR": "usage_by_module_week.csv"}
MEASURES = ("n_learners", "n_starters", "n_completers", "mean_minutes_band")

# Every column that may appear in a file: type and meaning. A column that is not here blocks the release.
DICTIONARY: dict[str, tuple[str, str]] = {
    "iso_week": ("string", "ISO week, Monday to Sunday in London, such as 2026-W47"),
    "course_id": ("string", "the publisher's number of the course"),
    "course_title": ("string", "title of the course"),
    "module_id": ("string", "the publisher's number of the module"),
    "module_title": ("string", "title of the module"),
    "n_learners": ("integer", "people who used it in the week, rounded; not the sum of its parts"),
    "n_starters": ("integer", "of these, people who started it, or one of its modules, in the week, rounded"),
    "n_completers": ("integer", "of these, people who completed it, or one of its modules, in the week, rounded"),
    "mean_minutes_band": ("string", "band of the mean minutes per learner: lower edge in, upper edge out"),
    **{f"{name}_flag": ("string", f"published or withheld: whether {name} is given") for name in MEASURES},
    "method_version": ("string", "version of the method and its thresholds"),
}
_MEASURE_COLUMNS = tuple(column for name in MEASURES for column in (name, f"{name}_flag"))
COLUMNS = {
    "usage_by_course_week.csv": ("iso_week", "course_id", "course_title", *_MEASURE_COLUMNS, "method_version"),
    "usage_by_module_week.csv": (
        "iso_week",
        "course_id",
        "course_title",
        "module_id",
        "module_title",
        *_MEASURE_COLUMNS,
        "method_version",
    ),
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json", "md": "text/markdown; charset=utf-8"}


@dataclass(frozen=True)
class Pack:
    """Bytes by file name."""

    files: Mapping[str, bytes]
    n_rows: int
    n_withheld: int

    @property
    def sha256(self) -> str:
        return pack_sha256(self.files)


def pack_sha256(files: Mapping[str, bytes]) -> str:
    """One hash over names and bytes of all files."""
    lines = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def content_type(name: str) -> str:
    return CONTENT_TYPES.get(name.rpartition(".")[2], "text/plain; charset=utf-8")


def safe_text(value: str) -> str:
    """One line of text that a spreadsheet takes for text: what would begin a formula gets an apostrophe in front."""
    line = _CONTROL.sub(" ", value)
    risky = value.startswith(("\t", "\r")) or line.lstrip().startswith(("=", "+", "-", "@"))
    return f"'{line}" if risky else line


def shown_cells(pack: PlannedPack, masters: Mapping[str, Master]) -> list[tuple[Master, PublishedCell]]:
    """The rows of a pack: whole courses for supporters, modules for authors, sorted by dimensions."""
    rows: list[tuple[Master, PublishedCell]] = []
    for grant in sorted(pack.grants, key=lambda g: g.course_id):
        master = masters[grant.course_id]
        if pack.product == "EXP-SUPPORTER":
            rows.append((master, master.cell(None)))
        else:
            rows += [(master, master.cell(m)) for m in sorted(master.modules) if grant.covers(m)]
    return rows


def build(pack: PlannedPack, masters: Mapping[str, Master], window: Window, spec: Spec) -> Pack:
    """All files of a pack from protected masters: a filter of rows and columns, no arithmetic."""
    table = TABLE_OF[pack.product]
    rows = shown_cells(pack, masters)
    body = _csv(table, [_row(table, window, spec, master, cell) for master, cell in rows])
    withheld = sum(cell.flag == "withheld" for _, cell in rows)
    files = {table: body, "README.md": _readme(window, spec).encode()}
    files["manifest.json"] = _manifest(pack, window, spec, files, len(rows)).encode()
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    files["SHA256SUMS"] = "".join(sums).encode()
    return Pack(files, len(rows), withheld)


def _row(table: str, window: Window, spec: Spec, master: Master, cell: PublishedCell) -> list[str]:
    titles = dict(master.module_titles)
    values: dict[str, object | None] = {
        "iso_week": window.key,
        "course_id": safe_text(master.course_id),
        "course_title": safe_text(master.title),
        "module_id": safe_text(cell.module_id or ""),
        "module_title": safe_text(titles.get(cell.module_id or "", "")),
        "n_learners": cell.learners,
        "n_starters": cell.starters,
        "n_completers": cell.completers,
        "mean_minutes_band": cell.mean_minutes_band,
        **{f"{name}_flag": cell.flag for name in MEASURES},
        "method_version": spec.version,
    }
    return ["" if values[c] is None else str(values[c]) for c in COLUMNS[table]]


def _csv(table: str, rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS[table])
    writer.writerows(rows)
    return text.getvalue().encode()


def _manifest(pack: PlannedPack, window: Window, spec: Spec, files: Mapping[str, bytes], n_rows: int) -> str:
    table = TABLE_OF[pack.product]
    content = {
        "product": pack.product,
        "recipient": pack.recipient_id,
        "release": pack.release_id,
        "window": {
            "iso_week": window.key,
            "first_day": window.monday.isoformat(),
            "last_day": window.last_day.isoformat(),
            "timezone": window.timezone,
        },
        "method_version": spec.version,
        "rules": {
            "fewest_people_per_count": spec.rules.min_learners,
            "rounded_to": spec.rules.round_to,
            "minutes_cap_per_person_and_day": spec.rules.minutes_cap_per_day,
            "minute_bands": list(spec.rules.bands()),
            "missing_value": "",
            "flags": ["published", "withheld"],
        },
        "columns": [
            {"name": name, "type": DICTIONARY[name][0], "description": DICTIONARY[name][1]} for name in COLUMNS[table]
        ],
        "files": [
            {
                "name": name,
                "bytes": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                **({"rows": n_rows} if name == table else {}),
            }
            for name, body in sorted(files.items())
        ],
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _readme(window: Window, spec: Spec) -> str:
    rules = spec.rules
    return f"""# Use of courses in the week {window.key}

Monday {window.monday} to Sunday {window.last_day}, London time. Anonymous, aggregated figures about registered
learners; there is no row about a person, and there never will be.

## Reading the table
- `n_learners` are people who used the course or module in the week, `n_starters` and `n_completers` those of them
  who started or completed it (for a course: at least one of its modules) in this week. Starters and completers are
  not the same group: many complete what they started in an earlier week.
- Counts are rounded to the nearest {rules.round_to}. `mean_minutes_band` is a range of the mean minutes per learner
  ({", ".join(rules.bands())}); at most {rules.minutes_cap_per_day} minutes of a person's day are counted.
- An empty value with the flag `withheld` means that nothing is said. It may be small, it may be none, or it may be
  withheld so that another cannot be worked out. It is not zero.
- The same person may use several modules and come back in several weeks: modules do not add up to courses, and
  weeks do not add up to months.

## Method {spec.version}
Staff, automated accounts, people who objected, restricted accounts and people who may be under 18 are left out.
Nothing is said about fewer than {rules.min_learners} people, nor of a course that never had
{rules.lifetime_min_learners} learners. Further cells are withheld so that no withheld one can be worked out, and
counts are rounded after that. A released week is never changed, and a later week never restates it.

## What you agreed to
Do not try to identify anybody, alone or together with other data. Do not pass these files on. Delete them when
asked. Tell the contact named in your agreement at once if you think that somebody can be recognised.

`SHA256SUMS` lets you check the files: `sha256sum -c SHA256SUMS`.
"""


@dataclass(frozen=True)
class ReadPack:
    """A pack as read back from where it was staged: the table's header and rows as texts."""

    table: str
    header: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


def read_back(files: Mapping[str, bytes]) -> ReadPack:
    """Parse the table of a pack. Raises ReleaseRefused when there is not exactly one, or it is no CSV of ours."""
    tables = [name for name in files if name.endswith(".csv")]
    if len(tables) != 1:
        raise ReleaseRefused(f"a staged pack has {len(tables)} tables instead of one", do="clear the staging task")
    try:
        rows = list(csv.reader(io.StringIO(files[tables[0]].decode()), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise ReleaseRefused("a staged table is not CSV in UTF-8", do="clear the staging task") from None
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        raise ReleaseRefused("a staged table is ragged or empty", do="clear the staging task")
    header = tuple(rows[0])
    return ReadPack(tables[0], header, tuple(dict(zip(header, row, strict=True)) for row in rows[1:]))
