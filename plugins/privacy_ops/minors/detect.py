"""Reads every trusted source, judges everybody who may be a minor, opens cases and restricts: one transaction.

Ages are judged at the run's as-of, which a case keeps as ``discovered_at``. Restricting waits for nothing and
destroys nothing. Memory stays flat: candidates are found in SQL, read in order through a cursor, written by COPY.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from privacy_ops import pseudonyms, runs
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.evidence import REPORTS, EvidenceColumn, columns, readable
from privacy_ops.errors import GateBlocked
from privacy_ops.minors import freetext
from privacy_ops.minors.age import civil_date
from privacy_ops.minors.classify import (
    LISTED,
    OPENS_CASE,
    REOPENED_AS,
    RESTRICTS,
    CaseClass,
    Judgement,
    Statement,
    classify,
)
from privacy_ops.minors.readings import Context, Flag
from privacy_ops.minors.signals import Said, earlier_dates, interpret, reports_others
from privacy_ops.minors.sources import CHILD_ROW_TYPES, SPREADSHEET, Builder, parameters, placeholders, sources
from privacy_ops.runs import Run
from privacy_ops.stores.database import blocks, copy_rows, text_array
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import Thresholds
from privacy_ops.workspace import Workspace

DETECTION_LOCK = 20180516
DIED = "died"  # code of the counter-signal
_BATCH = 5000
_RANDOM_PAGE_COST = 1.1
_SPREADSHEET = re.compile(SPREADSHEET, re.IGNORECASE)
_NOWHERE = (None, None, None)
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
    "signals",
    "restriction",
    "source_faults",
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
    "strength",
    "usable",
    "flags",
    "value",
    "rule",
    "span_start",
    "span_end",
)
# The civil dates that it can be somewhere on earth at one instant.
_WEST, _EAST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


class _Value(NamedTuple):
    """One row of ``Builder.evidence``."""

    subject_kind: str
    subject_table: str
    subject_key: list[str]
    source_no: int | None
    row_key: list[str]
    value: str
    registered_at: datetime | None
    created_at: datetime | None
    arrived_at: datetime | None
    said_at: datetime | None
    feed: str
    row_type: str
    extra: str
    changed_by: str


@dataclass
class Tally:
    """What was counted while judging. Numbers only."""

    classes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    values: int = 0


@dataclass(frozen=True)
class _Trust:
    """What to read, the form defaults found in each source, and which sources cannot be trusted tonight."""

    sources: Sequence[EvidenceColumn]
    frequent: Mapping[str, frozenset[date]]
    excluded: frozenset[str]


def detect_and_restrict(workspace: Workspace, run: Run, *, since: datetime | None = None) -> dict[str, Any]:
    """Judge everybody as of the run, open cases and restrict; returns counts.

    since: look only at what came after this instant, in sources that know when their rows came (between two nights).
    A rehearsal (dry run, backfill, a date long past) only counts. Raises GateBlocked when ``gates.check_sources`` did
    not look at the sources in this run; a look between two nights goes by what was last seen.
    """
    limits = workspace.thresholds
    rehearsal = runs.is_rehearsal(run, max_drift_hours=limits.as_of_max_drift_hours)
    with workspace.database("detect").transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": DETECTION_LOCK})
        # One statement reads all sources: compiling it costs more than it saves.
        connection.execute(text("SET LOCAL jit = off"))
        # What is on record of the few in question is looked up by index; to read whole tables for them costs more.
        connection.execute(text(f"SET LOCAL random_page_cost = {_RANDOM_PAGE_COST}"))
        live = catalogue.read(connection)
        builder = Builder(readable(workspace.data_map, live), live)
        trust = _trusted_sources(connection, workspace, builder, run, since)
        found = _find_candidates(connection, builder, trust, run, limits, since)
        judge = _Judge(trust, workspace, run)
        _judge_all(connection, builder, judge)
        linked = _judge_linked(connection, builder, judge)
        counts: dict[str, Any] = {
            "sources": sum(s.name in found and s.name not in trust.excluded for s in columns(builder.map)),
            "sources_read": sum(s.name in found for s in columns(builder.map)),
            "sources_excluded": len(trust.excluded),
            "candidates": found,
            "linked": linked,
            "values_read": judge.tally.values,
            "classes": dict(sorted(judge.tally.classes.items())),
            "flags": dict(sorted(judge.tally.flags.items())),
            "not_in_scope": {},
            "rehearsal": rehearsal,
        }
        if not rehearsal:
            counts |= _open_and_restrict(connection, builder, workspace, run, trust, whole=since is None)
        if since is None:
            runs.add_facts(connection, run.run_id, {"detection": counts})
    return counts


def _trusted_sources(
    connection: Connection, workspace: Workspace, builder: Builder, run: Run, since: datetime | None
) -> _Trust:
    every = sources(builder.map)
    mapped = {s.name for s in columns(workspace.data_map)}
    unreadable = mapped - {s.name for s in every}
    if since is None:
        seen = connection.execute(statement("minors", "select_observations"), {"run_id": run.run_id}).all()
        if not seen:
            raise GateBlocked(
                "the sources were not checked in this run",
                where=run.run_id,
                do="clear check_sources; nothing is judged before it",
            )
        known = {row.source for row in seen}
        every = tuple(s for s in every if s.name in known or s.table == REPORTS)
    else:
        # Restriction waits for nothing: a source that no night has seen yet is read.
        seen = connection.execute(statement("minors", "select_newest_observations"), {"at": run.as_of}).all()
    excluded = unreadable | {row.source for row in seen if row.verdict == "block" and row.source in mapped}
    return _Trust(every, {row.source: frozenset(row.over_represented) for row in seen}, frozenset(excluded))


def _defaults(trust: _Trust, source: EvidenceColumn, limits: Thresholds) -> frozenset[date]:
    """The dates that mean "nobody entered one" in this source tonight."""
    frequent = trust.frequent.get(source.name, frozenset())
    return frozenset(limits.default_dates.always) | (frequent & frozenset(limits.default_dates.when_frequent))


def _year_only(trust: _Trust, source: EvidenceColumn, limits: Thresholds) -> frozenset[date]:
    """The first days of a year of which only the year is believed in this source tonight."""
    return trust.frequent.get(source.name, frozenset()) - frozenset(limits.default_dates.when_frequent)


def _find_candidates(
    connection: Connection, builder: Builder, trust: _Trust, run: Run, limits: Thresholds, since: datetime | None
) -> dict[str, int]:
    """Fill ``subject_in_question``; returns the number of candidates of each source."""
    on = civil_date(run.as_of, limits.legal_timezone)
    connection.execute(statement("minors", "create_candidate_table"))
    first = connection.execute(text(builder.first_registered())).scalar_one()
    values = parameters(on, run.as_of, limits, first) | {"since": since}
    found: dict[str, int] = {}
    tables: dict[str, list[EvidenceColumn]] = {}
    texts: list[EvidenceColumn] = []
    for source in trust.sources:
        if since is not None and source.table != REPORTS and not builder.map.tables[source.table].moments():
            continue  # nobody knows what is new there: it waits for the night, and is read as evidence all the same
        found[source.name] = 0
        if source.evidence.kind == "identity_link":
            continue  # says something beside a confirmed minor only: see `_judge_linked`
        if source.evidence.kind == "free_text":
            texts.append(source)
            continue
        tables.setdefault(source.table, []).append(source)
        values |= placeholders(source, _defaults(trust, source, limits) | _year_only(trust, source, limits))
    for several in tables.values():
        connection.execute(text(builder.candidates(several, since=since is not None)), values)
    _find_speaking(connection, builder, texts, since)
    names = {source.number: source.name for source in trust.sources}
    for row in connection.execute(statement("minors", "count_candidates")):
        found[names[row.source_no]] = row.subjects
    connection.execute(statement("minors", "create_question_table"), {"whole": since is None})
    connection.execute(text("ANALYZE subject_in_question"))
    connection.execute(statement("minors", "create_linked_table"))
    connection.execute(statement("minors", "create_judged_table"))
    connection.execute(statement("minors", "create_judged_signal_table"))
    return found


def _find_speaking(
    connection: Connection, builder: Builder, texts: Sequence[EvidenceColumn], since: datetime | None
) -> None:
    """Name the subjects of free texts that may state an age: every text passes the sieve, a block at a time."""
    connection.execute(statement("minors", "create_speaking_table"))
    for source in texts:
        sieve = freetext.sieve(others=reports_others(source))
        newer = {"since": since} if since else {}
        found = 0
        for block in blocks(connection, text(builder.texts(source, since=since is not None)), newer):
            spoken = sieve.speaking([row[-1] for row in block])
            rows = ((source.number, list(block[position][:-1])) for position in spoken)
            found += copy_rows(connection, "speaking", ("source_no", "row_key"), rows) if spoken else 0
        for sql in builder.speaking(source) if found else ():
            connection.execute(text(sql))


def _judge_all(connection: Connection, builder: Builder, judge: _Judge) -> None:
    """Stream the evidence of ``subject_in_question``, subject by subject, into ``judged`` and ``judged_signal``."""
    judged: list[Sequence[Any]] = []
    signals: list[Sequence[Any]] = []

    def flush() -> None:
        copy_rows(connection, "judged", _JUDGED, judged)
        copy_rows(connection, "judged_signal", _SIGNAL, signals)
        judged.clear()
        signals.clear()

    connection.execute(text("DROP TABLE IF EXISTS person_in_question"))
    connection.execute(text(builder.people_in_question()))
    connection.execute(text("ANALYZE person_in_question"))
    values = parameters(judge.on, judge.as_of, judge.limits)
    sql = text(builder.evidence(list(judge.sources.values())))
    evidence = map(_Value._make, chain.from_iterable(blocks(connection, sql, values)))
    for (kind, table, key), its_own in groupby(evidence, key=itemgetter(0, 1, 2)):
        judged_row, its_signals = judge.subject(kind, table, key, its_own)
        judged.append(judged_row)
        signals.extend(its_signals)
        if len(judged) >= _BATCH:
            flush()
    flush()


def _judge_linked(connection: Connection, builder: Builder, judge: _Judge) -> int:
    """Judge other accounts of confirmed minors once more, with the link as a report; returns how many."""
    this = {"subject_table": builder.map.subject.table}
    for source in judge.sources.values():
        if source.evidence.kind == "identity_link":
            connection.execute(text(builder.linked_accounts(source)), this)
    for row in connection.execute(statement("minors", "forget_linked_judgements"), this).all():
        judge.tally.classes[row[0]] -= row.subjects
    judge.tally.classes += Counter()  # drops what fell to zero
    connection.execute(text("TRUNCATE subject_in_question"))
    linked = connection.execute(statement("minors", "ask_linked_again"), this).rowcount
    if linked:
        connection.execute(text("ANALYZE subject_in_question"))
        _judge_all(connection, builder, judge)
    return int(linked)


class _Place:
    """One source with what is the same for all its values."""

    def __init__(self, source: EvidenceColumn, trust: _Trust, limits: Thresholds, on: date) -> None:
        self.source = source
        self.is_report = source.table == REPORTS
        self._zone = limits.legal_timezone
        self._context = Context(
            on=on,
            defaults=_defaults(trust, source, limits),
            year_only=_year_only(trust, source, limits),
            order=source.evidence.order,
            min_age_at_registration=limits.plausible_age.min_at_registration,
            max_age=limits.plausible_age.max,
            leap_rule=limits.leap_rule,
        )

    def context(self, row: _Value) -> Context:
        """What is known about where this value stood."""
        zone, given = self._zone, self._context
        came: tuple[date, ...] = ()
        if row.registered_at:
            came = (civil_date(row.registered_at, zone),)
        if row.created_at and (created := civil_date(row.created_at, zone)) not in came:
            came = (*came, created)
        child = self.source.about_row and row.row_type.lower().replace(" ", "_") in CHILD_ROW_TYPES
        return Context(
            given.on, came, given.defaults, given.year_only, given.order,
            None if child else given.min_age_at_registration,
            given.max_age, bool(row.feed) and _through_a_spreadsheet(row.feed), given.leap_rule,
        )  # fmt: skip


class _Judge:
    """Judges one subject after the other, with what is the same for all of them at hand."""

    def __init__(self, trust: _Trust, workspace: Workspace, run: Run) -> None:
        self.sources = {source.number: source for source in trust.sources}
        self.excluded = trust.excluded
        self.limits: Thresholds = workspace.thresholds
        self.referrer = pseudonyms.Referrer(workspace.settings.keys, "ledger")
        self.as_of = run.as_of
        self.on = civil_date(run.as_of, self.limits.legal_timezone)
        self.elsewhere = (run.as_of.astimezone(_WEST).date(), run.as_of.astimezone(_EAST).date())
        self.places = {s.number: _Place(s, trust, self.limits, self.on) for s in trust.sources}
        self.tally = Tally()

    def subject(
        self, kind: str, table: str, key: list[str], evidence: Iterable[_Value]
    ) -> tuple[Sequence[Any], list[Sequence[Any]]]:
        """The rows for ``judged`` and ``judged_signal`` of one subject."""
        stated: list[tuple[EvidenceColumn, Statement]] = []
        rows: list[_Value] = []
        came: list[datetime] = []
        counter_signals = died = False
        for row in evidence:
            if row.source_no is None:
                counter_signals = True
                died = died or row.row_type == DIED
                continue
            place = self.places[row.source_no]
            source = place.source
            on = civil_date(row.said_at, self.limits.legal_timezone) if row.said_at else None
            said = Said(row.value, on, row.extra, row.changed_by)
            found = interpret(source, said, place.context(row))
            self.tally.values += 1
            if found is None:
                continue
            if place.is_report:
                found = Statement(found.source, found.readings, found.strength, row.row_type)
            stated.append((source, found))
            rows.append(row)
            if row.registered_at:
                came.append(row.registered_at)
            if row.created_at:
                came.append(row.created_at)
        stated = earlier_dates(stated, self.on)
        statements = [s for _, s in stated]
        for s in statements:
            if s.readings.flags:
                self.tally.flags.update(s.readings.flags)
        collected = civil_date(min(came), self.limits.legal_timezone) if came else None
        judgement, faults = self._judge(stated, counter_signals, collected)
        if died:
            judgement = replace(judgement, flags=judgement.flags | {Flag.DIED})
        self.tally.classes[judgement.case_class] += 1
        feeds: dict[str, int] = {}
        moments: list[datetime] = []
        of_counted: set[str] = set()
        trail = [DIED] if died else []  # a decision made about the living does not count for the dead
        signals: list[Sequence[Any]] = []
        subject_key = text_array(key)
        for row, (source, s) in zip(rows, stated, strict=True):
            trail += (source.name, *row.row_key, row.value)
            if counts := _counts(s):
                feed = row.feed or source.name
                feeds[feed] = feeds.get(feed, 0) + 1
                of_counted.add(s.signal)
                if row.arrived_at is not None:
                    moments.append(row.arrived_at)
            where = (s.place.rule, s.place.start, s.place.end) if s.place else _NOWHERE
            signals.append((
                table, subject_key, source.table, source.label, row.row_key, s.signal, s.strength, counts,
                _names(s.readings.flags), row.value, *where,
            ))  # fmt: skip
        judged = (
            kind,
            table,
            subject_key,
            judgement.case_class.value,
            _names(judgement.flags),
            self.referrer.values(pseudonyms.subject_text(key, table="" if kind == "person" else table)),
            self.referrer.key_id,
            self.referrer.values(pseudonyms.subject_text(trail, table=table)),
            max(sorted(feeds), key=feeds.__getitem__, default=""),
            sorted(of_counted),
            _restriction(judgement.case_class),
            sorted(faults),
            min(moments, default=None),
            judgement.adult_on,
        )
        return judged, signals

    def _judge(
        self, stated: Sequence[tuple[EvidenceColumn, Statement]], counter_signals: bool, collected: date | None
    ) -> tuple[Judgement, frozenset[str]]:
        """Judge by the sources that can be trusted; what only the others say is a soft case.

        A source that is not trusted confirms nobody, and what it says against a confirmation still asks for people.
        """
        trusted = [s for source, s in stated if source.name not in self.excluded]
        judgement = self._classify(trusted, counter_signals, collected)
        if len(trusted) == len(stated):
            return judgement, frozenset()
        with_others = self._classify([s for _, s in stated], counter_signals, collected)
        if judgement.case_class in RESTRICTS:
            doubted = judgement.case_class is CaseClass.CONFIRMED_MINOR is not with_others.case_class
            if doubted:
                judgement = Judgement(CaseClass.SUSPECTED_MINOR, with_others.flags, judgement.adult_on)
            return judgement, frozenset()
        if with_others.case_class not in RESTRICTS:
            return judgement, frozenset()
        faults = frozenset(source.name for source, _ in stated) & self.excluded
        return Judgement(CaseClass.SOURCE_SUSPECT, with_others.flags, with_others.adult_on), faults

    def _classify(self, statements: Sequence[Statement], counter_signals: bool, collected: date | None) -> Judgement:
        return classify(
            statements,
            on=self.on,
            counter_signals=counter_signals,
            adult_age=self.limits.adult_age,
            leap_rule=self.limits.leap_rule,
            collected=collected,
            elsewhere=self.elsewhere,
        )


@lru_cache(maxsize=4096)
def _through_a_spreadsheet(feed: str) -> bool:
    return bool(_SPREADSHEET.search(feed))


@lru_cache(maxsize=1024)
def _names(flags: frozenset[Flag]) -> str:
    """Their names in order, as an array."""
    return text_array(sorted(flags))


def _counts(statement_: Statement) -> bool:
    """Whether a judgement can stand on it. Reports and circumstances count with or without a day."""
    return statement_.readings.usable or statement_.strength != "S"


def _restriction(case_class: CaseClass) -> str:
    if case_class is CaseClass.SOURCE_SUSPECT:
        return "SOFT"
    return "HARD" if case_class in RESTRICTS else "NONE"


def _open_and_restrict(
    connection: Connection, builder: Builder, workspace: Workspace, run: Run, trust: _Trust, *, whole: bool
) -> dict[str, int]:
    """Write cases and signals from the judged tables and take their subjects out of use; returns counts.

    whole: every open case was looked at, so that what is missing is gone.
    """
    excluded = sorted(trust.excluded)
    values: dict[str, Any] = {"at": run.as_of, "run_id": run.run_id}
    restricting = {"opens": sorted(map(str, RESTRICTS)), "otherwise": str(REOPENED_AS), "excluded": excluded}
    if whole:
        _judge_vanished(connection, workspace)
    rejudged = connection.execute(statement("minors", "update_cases_on_new_evidence"), values | restricting).rowcount
    opened = Counter(
        connection
        .execute(statement("minors", "insert_cases"), values | {"opens": sorted(map(str, OPENS_CASE))})
        .scalars()
        .all()
    )
    connection.execute(statement("minors", "distrust_confirmed"), {"excluded": excluded})
    connection.execute(statement("minors", "delete_outdated_signals"), {"run_id": run.run_id})
    connection.execute(statement("minors", "insert_signals"), {"run_id": run.run_id})
    listed = {"listed": sorted(map(str, LISTED))}
    connection.execute(statement("minors", "delete_age_questions"), listed | {"whole": whole})
    asked = connection.execute(statement("minors", "upsert_age_questions"), listed | {"at": run.as_of}).rowcount
    restricted = sum(connection.execute(text(sql), {"at": run.as_of}).rowcount for sql in builder.restrictions())
    return {
        "opened": opened["HARD"],
        "opened_soft": opened["SOFT"],
        "opened_without_restriction": opened["NONE"],
        "rejudged": rejudged,
        "restricted": restricted,
        "asked": asked,
    }


def _judge_vanished(connection: Connection, workspace: Workspace) -> None:
    """An open case whose evidence is gone altogether gets an empty judgement: a person decides, nothing is erased."""
    key_id, _ = workspace.settings.keys.current_key("ledger")
    connection.execute(statement("minors", "insert_vanished"), {"key_id": key_id})
