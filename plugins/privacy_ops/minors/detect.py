"""Reads every trusted source, judges everybody who may be a minor, opens cases and restricts: one transaction.

Ages are judged at the run's as-of, which a case keeps as ``discovered_at``. Restricting waits for nothing and
destroys nothing. Memory stays flat: candidates are found in SQL, read in order through a cursor, written by COPY.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms, runs
from privacy_ops.datamap import catalogue
from privacy_ops.errors import GateBlocked
from privacy_ops.minors.age import civil_date
from privacy_ops.minors.classify import OPENS_CASE, REOPENED_AS, RESTRICTS, Judgement, Statement, classify
from privacy_ops.minors.readings import Context, read
from privacy_ops.minors.sources import CHILD_ROW_TYPES, Builder, Source, in_scope, out_of_scope
from privacy_ops.runs import Run
from privacy_ops.settings import KeyRing
from privacy_ops.stores.database import copy_rows, stream
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

DETECTION_LOCK = 20180516
_BATCH = 5000
_SPREADSHEET = re.compile(r"xls|excel|ods|sheet", re.IGNORECASE)  # in the name of a feed
_JUDGED = (
    "subject_kind",
    "subject_table",
    "subject_key",
    "class",
    "flags",
    "refs",
    "ref_key_id",
    "evidence_hashes",
    "feed",
    "evidence_at",
    "adult_on",
)
_SIGNAL = (
    "subject_table",
    "subject_key",
    "source_table",
    "source_column",
    "row_key",
    "signal",
    "usable",
    "flags",
    "value",
)


@dataclass
class Tally:
    """What was counted while judging. Numbers only."""

    classes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    values: int = 0


def detect_and_restrict(workspace: Workspace, run: Run) -> dict[str, Any]:
    """Judge everybody as of the run, open cases and restrict; returns counts.

    A rehearsal (dry run, backfill, a date long past) only counts. Raises GateBlocked when no source was judged
    fit by ``gates.check_sources`` in this run.
    """
    limits = workspace.thresholds
    rehearsal = runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours)
    with workspace.database("detect").transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": DETECTION_LOCK})
        sources, over_represented, excluded = _trusted_sources(connection, workspace, run)
        builder = Builder(workspace.data_map, catalogue.read(connection))
        candidates = _find_candidates(connection, builder, sources, run, limits)
        tally = _judge_all(connection, builder, sources, over_represented, workspace, run)
        counts: dict[str, Any] = {
            "sources": len(sources),
            "sources_excluded": len(excluded),
            "candidates": candidates,
            "values_read": tally.values,
            "classes": dict(sorted(tally.classes.items())),
            "flags": dict(sorted(tally.flags.items())),
            "not_in_scope": out_of_scope(workspace.data_map),
            "rehearsal": rehearsal,
        }
        if not rehearsal:
            counts |= _open_and_restrict(connection, builder, workspace, run, excluded)
        runs.add_facts(connection, run.run_id, {"detection": counts})
    return counts


def _trusted_sources(
    connection: Connection, workspace: Workspace, run: Run
) -> tuple[list[Source], dict[str, frozenset[date]], list[str]]:
    """Sources to read, the form defaults found in each, and the names of those left out."""
    seen = connection.execute(statement("minors", "select_observations"), {"run_id": run.run_id}).all()
    if not seen:
        raise GateBlocked(
            "the sources were not checked in this run",
            where=run.run_id,
            do="clear check_sources; nothing is judged before it",
        )
    blocked = {row.source for row in seen if row.verdict == "block"}
    known = {row.source: frozenset(row.over_represented) for row in seen}
    usable = [s for s in in_scope(workspace.data_map) if s.name in known and s.name not in blocked]
    if not usable:
        raise GateBlocked(
            "no source of age evidence can be trusted in this run",
            where=run.run_id,
            do="read the source gates' reports and mend the feeds",
        )
    return usable, known, sorted(blocked)


def _find_candidates(
    connection: Connection, builder: Builder, sources: Sequence[Source], run: Run, limits: Thresholds
) -> dict[str, int]:
    """Fill ``subject_in_question``; returns the number of candidates of each source."""
    on = civil_date(run.as_of, limits.legal_timezone)
    # One year on the safe side: what the pre-filter leaves out is adult in every time zone and leap rule.
    horizon = date(on.year - limits.adult_age - 1, 1, 1)
    connection.execute(statement("minors", "create_candidate_table"))
    found = {}
    for source in sources:
        result = connection.execute(
            text(builder.candidates(source)),
            {
                "subject_table": source.table if source.about_row else builder.map.subject.table,
                "horizon": horizon,
                "horizon_text": horizon.isoformat(),
                "horizon_year": f"{horizon.year:04d}",
            },
        )
        found[source.name] = int(result.rowcount)
    connection.execute(statement("minors", "create_question_table"))
    connection.execute(text("ANALYZE subject_in_question"))
    return found


def _judge_all(
    connection: Connection,
    builder: Builder,
    sources: Sequence[Source],
    over_represented: Mapping[str, frozenset[date]],
    workspace: Workspace,
    run: Run,
) -> Tally:
    """Stream the evidence subject by subject into ``judged`` and ``judged_signal``."""
    connection.execute(statement("minors", "create_judged_table"))
    connection.execute(statement("minors", "create_judged_signal_table"))
    judge = _Judge(sources, over_represented, workspace, run)
    judged: list[Sequence[Any]] = []
    signals: list[Sequence[Any]] = []

    def flush() -> None:
        copy_rows(connection, "judged", _JUDGED, judged)
        copy_rows(connection, "judged_signal", _SIGNAL, signals)
        judged.clear()
        signals.clear()

    rows = stream(connection, text(builder.evidence(sources)))
    for (kind, table, key), evidence in groupby(
        rows, key=lambda r: (r.subject_kind, r.subject_table, tuple(r.subject_key))
    ):
        judged_row, its_signals = judge.subject(kind, table, key, evidence)
        judged.append(judged_row)
        signals.extend(its_signals)
        if len(judged) >= _BATCH:
            flush()
    flush()
    return judge.tally


class _Judge:
    """Judges one subject after the other, with what is the same for all of them at hand."""

    def __init__(
        self,
        sources: Sequence[Source],
        over_represented: Mapping[str, frozenset[date]],
        workspace: Workspace,
        run: Run,
    ) -> None:
        self.sources = {source.number: source for source in sources}
        self.limits: Thresholds = workspace.thresholds
        self.keys: KeyRing = workspace.settings.keys
        self.current_key, _ = self.keys.current_key("ledger")
        self.on = civil_date(run.as_of, self.limits.legal_timezone)
        always = frozenset(self.limits.default_dates.always)
        forms = frozenset(self.limits.default_dates.when_frequent)
        frequent = {s.number: over_represented.get(s.name, frozenset()) for s in sources}
        self.defaults = {number: always | (days & forms) for number, days in frequent.items()}
        self.year_only = {number: days - forms for number, days in frequent.items()}
        self.subject_table = workspace.data_map.subject.table
        self.tally = Tally()

    def subject(
        self, kind: str, table: str, key: tuple[str, ...], evidence: Iterable[Any]
    ) -> tuple[Sequence[Any], list[Sequence[Any]]]:
        """The rows for ``judged`` and ``judged_signal`` of one subject."""
        statements: list[Statement] = []
        signals: list[Sequence[Any]] = []
        trail: list[str] = []
        feeds: Counter[str] = Counter()
        moments = []
        counter_signals = False
        for row in evidence:
            if row.source_no is None:
                counter_signals = True
                continue
            source = self.sources[row.source_no]
            readings = read(row.value, self._context(source, row))
            self.tally.values += 1
            self.tally.flags.update(readings.flags)
            statements.append(Statement(source.name, readings))
            flags = sorted(readings.flags)
            signals.append((
                table,
                list(key),
                source.table,
                source.column,
                list(row.row_key),
                source.evidence.signal,
                readings.usable,
                flags,
                row.value,
            ))
            trail += [source.name, *row.row_key, row.value]
            if readings.usable:
                feeds[row.feed or source.name] += 1
                if row.created_at is not None:
                    moments.append(row.created_at)
        judgement = self._classify(statements, counter_signals)
        self.tally.classes[judgement.case_class] += 1
        feed = max(sorted(feeds), key=lambda name: feeds[name]) if feeds else ""
        refs = self._references(pseudonyms.subject_text(key, table="" if kind == "person" else table))
        hashes = self._references(pseudonyms.subject_text(trail, table=table))
        return (
            kind,
            table,
            list(key),
            str(judgement.case_class),
            sorted(judgement.flags),
            refs,
            self.current_key,
            hashes,
            feed,
            min(moments, default=None),
            judgement.adult_on,
        ), signals

    def _classify(self, statements: Sequence[Statement], counter_signals: bool) -> Judgement:
        return classify(
            statements,
            on=self.on,
            counter_signals=counter_signals,
            adult_age=self.limits.adult_age,
            leap_rule=self.limits.leap_rule,
        )

    def _context(self, source: Source, row: Any) -> Context:
        zone = self.limits.legal_timezone
        came = tuple(dict.fromkeys(civil_date(at, zone) for at in (row.registered_at, row.created_at) if at))
        child = source.about_row and (row.row_type or "").lower().replace(" ", "_") in CHILD_ROW_TYPES
        return Context(
            on=self.on,
            registered=came,
            defaults=self.defaults[source.number],
            year_only=self.year_only[source.number],
            order=source.evidence.order,
            min_age_at_registration=None if child else self.limits.plausible_age.min_at_registration,
            max_age=self.limits.plausible_age.max,
            spreadsheet=bool(_SPREADSHEET.search(row.feed or "")),
            leap_rule=self.limits.leap_rule,
        )

    def _references(self, canonical: str) -> list[str]:
        """References under every key still held, the current key's first."""
        found = pseudonyms.references_all_keys(self.keys, "ledger", canonical)
        return [r.value for r in sorted(found, key=lambda r: r.key_id != self.current_key)]


def _open_and_restrict(
    connection: Connection, builder: Builder, workspace: Workspace, run: Run, excluded: Sequence[str]
) -> dict[str, int]:
    """Write cases and signals from the judged tables and lock their people; returns counts."""
    opens = sorted(map(str, OPENS_CASE))
    _judge_vanished(connection, workspace)
    values: dict[str, Any] = {"opens": opens, "at": run.as_of, "run_id": run.run_id}
    rejudged = connection.execute(
        statement("minors", "update_cases_on_new_evidence"),
        values | {"otherwise": str(REOPENED_AS), "excluded": list(excluded)},
    ).rowcount
    opened = connection.execute(statement("minors", "insert_cases"), values).rowcount
    connection.execute(statement("minors", "delete_outdated_signals"), {"run_id": run.run_id})
    connection.execute(statement("minors", "insert_signals"), {"run_id": run.run_id})
    restricted = connection.execute(
        text(builder.restrict()),
        {
            "value": workspace.data_map.restriction.value,
            "at": run.as_of,
            "classes": sorted(map(str, RESTRICTS)),
        },
    ).rowcount
    return {"opened": opened, "rejudged": rejudged, "restricted": restricted}


def _judge_vanished(connection: Connection, workspace: Workspace) -> None:
    """An open case whose evidence is gone altogether gets an empty judgement: a person decides, nothing is erased."""
    key_id, _ = workspace.settings.keys.current_key("ledger")
    connection.execute(statement("minors", "insert_vanished"), {"key_id": key_id})
