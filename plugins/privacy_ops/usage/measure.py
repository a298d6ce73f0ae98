"""Numbers about staged packs for the gate, from the bytes as read back. Pure: no store, no clock.

The gate looks at files with eyes of its own: rows are parsed anew, the attacker is given nothing but them.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

from privacy_ops.disclosure.audit import unprotected
from privacy_ops.disclosure.cells import PublishedCell
from privacy_ops.disclosure.rules import Rules
from privacy_ops.errors import ReleaseRefused
from privacy_ops.usage.master import Master
from privacy_ops.usage.pack import COLUMNS, MEASURES, TABLE_OF, ReadPack, read_back, safe_text
from privacy_ops.usage.plan import PlannedPack

_COUNTS = MEASURES[:3]
_IDENTIFIERS = (
    re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+\.[A-Za-z]{2,}"),  # mail address
    re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"),  # UUID
    re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"),  # IPv4
    re.compile(r"(?<![0-9a-fA-F:])(?:[0-9a-fA-F]{1,4}:){3,7}[0-9a-fA-F]{1,4}"),  # IPv6
    re.compile(r"\+\d[\d ()-]{7,}\d"),  # telephone
    re.compile(r"\b\d{4}-\d{4}-\d{4}-\d{3}[\dX]\b"),  # ORCID
)


@dataclass
class Metrics:
    """One row for the gate. Everything but ``packs`` must be 0."""

    packs: int = 0
    packs_off_plan: int = 0
    wrong_sums: int = 0
    uncovered: int = 0
    small_counts: int = 0
    unrounded_counts: int = 0
    wrong_flags: int = 0
    exposed_cells: int = 0
    contradictions: int = 0
    wrong_columns: int = 0
    wrong_grain: int = 0
    wrong_rows: int = 0
    wrong_values: int = 0
    identifiers: int = 0
    restated: int = 0

    def row(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))


def measure(
    packs: Iterable[PlannedPack],
    staged: Mapping[str, Mapping[str, bytes]],
    masters: Mapping[str, Master],
    rules: Rules,
    *,
    spec_version: str,
) -> Metrics:
    """Metrics of ``staged`` (files by pack prefix) against plan and masters.

    ``uncovered`` and ``restated`` are left at 0 for the caller, who asks the database. Packs that were released
    under an earlier spec version are held to their registered hash only: they were judged when they were released.
    """
    planned = {pack.prefix: pack for pack in packs}
    found = Metrics(packs=len(staged), packs_off_plan=len(set(planned) ^ set(staged)))
    modules_of = {course: master.modules for course, master in masters.items()}
    everything: list[PublishedCell] = []
    for prefix in sorted(set(planned) & set(staged)):
        pack, files = planned[prefix], staged[prefix]
        found.wrong_sums += not _sums_agree(files)
        if pack.spec_version != spec_version:
            continue
        text = b"\n".join(body for name, body in files.items() if name != "SHA256SUMS").decode(errors="replace")
        found.identifiers += sum(len(pattern.findall(text)) for pattern in _IDENTIFIERS)
        try:
            table = read_back(files)
        except ReleaseRefused:
            found.wrong_columns += 1
            continue
        if table.table != TABLE_OF[pack.product] or table.header != COLUMNS[table.table]:
            found.wrong_columns += 1
            continue
        _judge_counts(table, rules, found)
        _judge_rows(table, pack, masters, found)
        cells = _cells(table, found)
        everything += cells
        found.exposed_cells += _exposed(cells, rules, modules_of, found)
    # All recipients together: whoever leaks or colludes holds no more than this.
    found.exposed_cells += _exposed(everything, rules, modules_of, found)
    return found


def _sums_agree(files: Mapping[str, bytes]) -> bool:
    lines = files.get("SHA256SUMS", b"").decode(errors="replace").splitlines()
    pairs = [line.partition("  ") for line in lines]
    told = {name: digest for digest, _, name in pairs}
    return told == {n: hashlib.sha256(body).hexdigest() for n, body in files.items() if n != "SHA256SUMS"} != {}


def _judge_counts(table: ReadPack, rules: Rules, found: Metrics) -> None:
    for row in table.rows:
        shown = [name for name in MEASURES if row[name] != ""]
        flags = {row[f"{name}_flag"] for name in MEASURES}
        # One mask for all measures: either everything is there and says so, or nothing is.
        if not (flags == {"published"} and len(shown) == len(MEASURES)) and not (flags == {"withheld"} and not shown):
            found.wrong_flags += 1
        if row["mean_minutes_band"] and row["mean_minutes_band"] not in rules.bands():
            found.wrong_flags += 1
        for name in _COUNTS:
            value = row[name]
            if value == "":
                continue
            if not value.isascii() or not value.isdigit():
                found.unrounded_counts += 1
                continue
            found.small_counts += int(value) < rules.min_learners
            found.unrounded_counts += int(value) % rules.round_to != 0


def _judge_rows(table: ReadPack, pack: PlannedPack, masters: Mapping[str, Master], found: Metrics) -> None:
    keys = [_key(row) for row in table.rows]
    found.wrong_grain += sum(n - 1 for n in Counter(keys).values())
    found.wrong_grain += keys != sorted(keys)
    found.wrong_grain += sum(row["iso_week"] != pack.iso_week for row in table.rows)
    expected: dict[tuple[str, str], PublishedCell] = {}
    for grant in pack.grants:
        master = masters.get(grant.course_id)
        if master is None:
            found.wrong_rows += 1
            continue
        wanted = [None] if pack.product == "EXP-SUPPORTER" else [m for m in master.modules if grant.covers(m)]
        for module in wanted:
            expected[safe_text(grant.course_id), safe_text(module or "")] = master.cell(module)
    found.wrong_rows += len(set(keys) ^ set(expected))
    for row in table.rows:
        cell = expected.get(_key(row))
        if cell is not None:
            kept = (cell.learners, cell.starters, cell.completers, cell.mean_minutes_band)
            told = tuple(row[name] for name in MEASURES)
            found.wrong_values += told != tuple("" if value is None else str(value) for value in kept)


def _key(row: Mapping[str, str]) -> tuple[str, str]:
    return row["course_id"], row.get("module_id", "")


def _cells(table: ReadPack, found: Metrics) -> list[PublishedCell]:
    cells: list[PublishedCell] = []
    for row in table.rows:
        module = row.get("module_id") or None
        try:
            if row["n_learners"] == "":
                cells.append(PublishedCell(row["course_id"], module, "withheld"))
            else:
                learners, starters, completers = (int(row[name]) for name in _COUNTS)
                band = row["mean_minutes_band"]
                cells.append(PublishedCell(row["course_id"], module, "published", learners, starters, completers, band))
        except ValueError:
            found.wrong_flags += 1
    return cells


def _exposed(
    cells: list[PublishedCell], rules: Rules, modules_of: Mapping[str, tuple[str, ...]], found: Metrics
) -> int:
    safe = {safe_text(c): tuple(safe_text(m) for m in modules) for c, modules in modules_of.items()}
    try:
        return len(unprotected(cells, rules, safe))
    except ValueError:
        found.contradictions += 1
        return 0
