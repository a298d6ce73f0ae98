"""True counts of a period: PostgreSQL and DuckDB run the same statements, and agree with people counted by hand."""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.settings import home_directory
from privacy_ops.stores.database import Connection, Database, quote
from privacy_ops.usage import counting, drawing, institutions, period_view, periods, places, view
from privacy_ops.usage.counting import CellKey, Postgres, TrueCell
from privacy_ops.usage.institutions import Spelling
from privacy_ops.usage.period_view import INPUT, Lists
from privacy_ops.workspace import Workspace
from sqlalchemy import text

from bench import duck, exports
from sandbox.postgres import PostgresServer
from tests import usage_oracle, usage_world
from tests.conftest import administer
from tests.public_keys import public_keys
from tests.usage_oracle import Event, Person
from tests.usage_world import WEEK

PLACES = places.load(home_directory() / "include" / "reference")
CAP = 7200
TEMPLATE = "counting_template"
QUARTER = periods.from_key("2026-Q4")
HOSPITALS = (Spelling("Vale Clinic", "Vale Clinic"), Spelling("The Vale", "Vale Clinic"), Spelling("Oak", "Oak"))


@pytest.fixture(scope="module")
def template(cluster: PostgresServer) -> Iterator[str]:
    administer(cluster, f"CREATE DATABASE {TEMPLATE}")
    usage_world.make_database(cluster.dsn(TEMPLATE))
    usage_world.fill(cluster.dsn(TEMPLATE))
    yield TEMPLATE
    administer(cluster, f"DROP DATABASE {TEMPLATE} WITH (FORCE)")


@pytest.fixture
def dsn(cluster: PostgresServer, template: str) -> Iterator[str]:
    name = f"counting_{secrets.token_hex(4)}"
    administer(cluster, f"CREATE DATABASE {quote(name)} TEMPLATE {template} STRATEGY FILE_COPY")
    yield cluster.dsn(name)
    administer(cluster, f"DROP DATABASE {quote(name)} WITH (FORCE)")


@pytest.fixture
def ws(dsn: str, object_settings) -> Workspace:
    return usage_world.workspace(dsn, object_settings)


def cells(ws: Workspace, key: str, *, folder: Path | None = None) -> dict[CellKey, TrueCell]:
    """Count as the export's own role; with a folder, on DuckDB from its Parquet files."""
    period = periods.from_key(key)
    with ws.database("export").transaction() as c:
        lists = period_view.build(c, ws.data_map, period, PLACES, HOSPITALS, ["1", "2", "3", "4"])
        if folder is not None:
            duck.export(c, folder)
        engine = Postgres(c) if folder is None else duck.engine(folder)
        due = counting.due(period, dict.fromkeys(lists.courses, period.kind))
        found = counting.count(engine, period, lists, due, CAP)
    assert len({cell.key for cell in found}) == len(found)
    return {cell.key: cell for cell in found}


def sql(dsn: str, statement: str, **values: object) -> None:
    with Database(dsn).transaction() as c:
        c.execute(text(statement), values)


def course(number: str, key: str = WEEK.key, table: counting.Table = "period", **rest: str) -> CellKey:
    return CellKey(table, number, key, **rest)


# Random little worlds: two courses with two modules and one.
LISTS = Lists(("A", "B"), (("A", "a1"), ("A", "a2"), ("B", "b1")), PLACES)
COURSE_OF = {1: 1, 2: 1, 3: 2}
DAYS = [date(2026, 11, 16) + timedelta(days=n) for n in range(3)]
SECONDS = st.one_of(st.integers(0, 400), st.integers(0, 9_000), st.just(CAP), st.just(86_400))
EVENTS = st.lists(
    st.tuples(
        st.integers(1, 9), st.sampled_from([1, 2, 3]), st.sampled_from(DAYS), *([st.integers(0, 1)] * 3), SECONDS
    ).map(lambda t: Event(t[0], COURSE_OF[t[1]], t[1], *t[2:])),
    max_size=40,
)
# A country lies in one region.
ANYBODY = st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda t: Person(t[0], t[0] // 2, t[1]))
PEOPLE = st.fixed_dictionaries(dict.fromkeys(range(1, 10), ANYBODY))


@pytest.fixture(scope="module")
def engines(cluster: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, Path]]:
    """One transaction with empty input tables, and a folder for Parquet."""
    with Database(cluster.dsn()).transaction() as c:
        for name, columns in {
            "period_person": "person integer, country integer, region integer, institution integer",
            "period_course": "course integer, modules integer",
            "period_event": "person integer, course integer, module integer, london_day date, started integer,"
            " completed integer, passed integer, seconds integer",
            "period_beginner": "person integer, course integer",
        }.items():
            c.execute(text(f"CREATE TEMPORARY TABLE {name} ({columns})"))
        yield c, tmp_path_factory.mktemp("parquet")


def fill(c: Connection, events: list[Event], people: dict[int, Person], beginners: set[tuple[int, int]]) -> None:
    for table in INPUT:
        c.execute(text(f"TRUNCATE {table}"))
    rows = {
        "period_person": [{"person": n, **vars(p)} for n, p in people.items()],
        "period_course": [{"course": 1, "modules": 2}, {"course": 2, "modules": 1}],
        "period_event": [vars(event) for event in events],
        "period_beginner": [{"person": p, "course": k} for p, k in beginners],
    }
    for table, values in rows.items():
        if values:
            names = list(values[0])
            listed = ", ".join(f":{name}" for name in names)
            c.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({listed})"), values)


@settings(max_examples=25, deadline=None)
@given(EVENTS, PEOPLE, st.sets(st.tuples(st.integers(1, 9), st.integers(1, 2)), max_size=8))
def test_both_engines_count_what_counting_by_hand_does(engines, events, people, beginners):
    c, folder = engines
    # Of the people who began in the quarter there is always an event.
    beginners = {(p, k) for p, k in beginners if any(e.person == p and e.course == k for e in events)}
    fill(c, events, people, beginners)
    tables = ("period", "country_quarter", "region_quarter")
    due = dict.fromkeys(LISTS.courses, tables)
    by_hand = usage_oracle.count(events, people, beginners, LISTS, QUARTER, tables, CAP)
    assert counting.count(Postgres(c), QUARTER, LISTS, due, CAP) == by_hand
    duck.export(c, folder)
    assert counting.count(duck.engine(folder, threads=1), QUARTER, LISTS, due, CAP) == by_hand


@settings(max_examples=25, deadline=None)
@given(EVENTS, PEOPLE)
def test_cells_hang_together_as_the_protection_assumes(engines, events, people):
    """Unions along modules, sums along places, seconds add up, nobody adds more than the caps allow."""
    c, _ = engines
    fill(c, events, people, set())
    due = counting.due(QUARTER, dict.fromkeys(LISTS.courses, "quarter"))
    found = counting.count(Postgres(c), QUARTER, LISTS, due, CAP)
    for whole in [cell for cell in found if cell.key == CellKey("period", cell.course_id, "2026-Q4")]:
        same = [cell for cell in found if cell.course_id == whole.course_id]
        modules = [cell for cell in same if cell.module_id is not None]
        countries = [cell for cell in same if cell.table == "country_quarter"]
        regions = [cell for cell in same if cell.region is not None]
        for name in ("learners", "starters", "completers"):
            parts = [getattr(cell, name) for cell in modules]
            assert max(parts) <= getattr(whole, name) <= sum(parts)
            for places_ in (countries, regions):
                assert sum(getattr(cell, name) for cell in places_) == getattr(whole, name)
        for parts_ in (modules, countries, regions):
            assert sum(cell.seconds for cell in parts_) == whole.seconds
        for cell in same:
            assert cell.seconds_top2 <= cell.seconds_top1 <= CAP * len(DAYS)
            assert cell.seconds_top1 + cell.seconds_top2 <= cell.seconds
            assert cell.largest_institution <= cell.learners
            assert (cell.institutions == 1) is (cell.largest_institution == cell.learners)


@settings(max_examples=15, deadline=None)
@given(EVENTS, PEOPLE, st.integers(1, 6))
def test_both_engines_count_nobody_in_more_cells_than_are_allowed(engines, events, people, most):
    """Noisy counts: by hand, each person's cells in the public order, as many as there may be."""
    c, folder = engines
    fill(c, events, people, set())
    parts = dict.fromkeys(("course", "module", "country", "region"), ("starters", "completers"))
    cells = drawing.in_public_order(drawing.public_cells(LISTS, parts), QUARTER.key)
    turn = {cell[3:]: number for number, cell in enumerate(cells)}
    mine: dict[int, set[int]] = defaultdict(set)
    for event in events:
        who = people[event.person]
        for level, part in enumerate((0, event.module, who.country, who.region)):
            for measure, does in enumerate((event.started, event.completed)):
                if does and (found := turn.get((event.course, level, part, measure))) is not None:
                    mine[event.person].add(found)
    by_hand = Counter(cell for found in mine.values() for cell in sorted(found)[:most])
    drawing.list_cells(c, cells)
    assert drawing.bounded_counts(Postgres(c), most) == by_hand
    duck.export(c, folder)
    other = duck.engine(folder, threads=1)
    other.connection.execute(
        "CREATE TABLE drawn_cell (cell INTEGER, turn INTEGER, course INTEGER, level INTEGER, part INTEGER,"
        " measure INTEGER)"
    )
    rows = ", ".join(str((number, number + 1, *cell[3:])) for number, cell in enumerate(cells))
    other.connection.execute(f"INSERT INTO drawn_cell VALUES {rows}")
    assert drawing.bounded_counts(other, most) == by_hand


def test_a_made_up_week_of_a_larger_publisher_is_the_same_on_both_engines_and_for_a_naive_statement(cluster):
    """``measure`` raises where any two of the three differ in a cell."""
    found = exports.measure(cluster.dsn(), people=3_000, events=20_000, repeats=1)
    assert found.cells > 5_000


def test_a_week_of_a_publisher_as_its_own_role_counts_it(ws):
    found = cells(ws, WEEK.key)
    whole = found[course("1")]
    # People 0–54 start; 25 of module 10 and 20 of module 11 complete, five of them in both; twenty minutes a module.
    assert (whole.learners, whole.starters, whole.completers) == (55, 55, 40)
    assert whole.seconds == (40 + 35 + 3) * 1200
    module = found[course("1", module_id="12")]
    assert (module.learners, module.starters, module.completers, module.seconds) == (3, 3, 1, 3600)
    assert (whole.institutions, whole.largest_institution) == (1, 55), "nobody says where they work"
    assert {cell.table for cell in found.values()} == {"period"}


def test_a_quarter_counts_a_person_of_two_weeks_once(ws, dsn):
    later = WEEK.end + timedelta(hours=30)
    with Database(dsn).transaction() as c:
        usage_world.view_page(c, 1, 10, later, 60)
        usage_world.view_page(c, 100, 10, later, 60)
    week, next_week = cells(ws, WEEK.key), cells(ws, "2026-W47")
    quarter = cells(ws, "2026-Q4")
    assert week[course("1")].learners + next_week[course("1", "2026-W47")].learners == 55 + 2
    assert quarter[course("1", "2026-Q4")].learners == 56
    assert quarter[course("1", "2026-Q4")].seconds == (40 + 35 + 3) * 1200 + 120


def test_the_cohort_of_a_quarter_is_who_first_started_in_it(ws, dsn):
    with Database(dsn).transaction() as c:
        # Person 60 had started in the quarter before: a learner of this one, not of its cohort.
        c.execute(
            text(
                "UPDATE learn.module_progress AS p SET started_at = :at FROM learn.enrolment AS e"
                " WHERE e.id = p.enrolment_id AND e.user_id = :u AND p.module_id = 21"
            ),
            {"at": QUARTER.start - timedelta(seconds=1), "u": usage_world.person(60)},
        )
        for person, passed in ((61, True), (62, False), (60, True)):
            c.execute(
                text(
                    "INSERT INTO learn.assessment_attempt (enrolment_id, module_id, score, passed, at)"
                    " SELECT e.id, 20, 70, :passed, :at FROM learn.enrolment AS e"
                    " WHERE e.user_id = :u AND e.course_id = 2"
                ),
                {"passed": passed, "u": usage_world.person(person), "at": WEEK.start + timedelta(hours=40)},
            )
    whole = cells(ws, "2026-Q4")[course("2", "2026-Q4")]
    # 40 people of course 2; 60 began before. Module 20: 28 complete, module 21: two of 60 to 66. Both: 60 and 61.
    assert (whole.learners, whole.starters, whole.cohort_starters) == (40, 40, 39)
    assert (whole.cohort_completers, whole.cohort_passed) == (1, 1)
    week = cells(ws, WEEK.key)[course("2")]
    assert (week.cohort_starters, week.cohort_completers, week.cohort_passed) == (0, 0, 0), "shares are quarterly"


@pytest.mark.parametrize("key", [WEEK.key, "2026-Q4", "2026"])
def test_every_cell_with_people_is_in_the_public_row_set(ws, key):
    period = periods.from_key(key)
    found = cells(ws, key)
    with ws.database("export").transaction() as c:
        courses = view.public_courses(c, ws.data_map, ["1", "2", "3", "4"])
    keys = public_keys(period, PLACES, courses, counting.due(period, dict.fromkeys(courses, period.kind)))
    assert set(found) <= set(keys)


def test_a_year_is_counted_by_region_and_a_person_of_many_weeks_once(ws, dsn):
    with Database(dsn).transaction() as c:
        c.execute(text("UPDATE core.user_account SET country_declared = 'NZ' WHERE username = 'person1'"))
        for weeks in (2, 4):
            usage_world.view_page(c, 100, 10, WEEK.before(weeks).start, 600)
    found = {key: cell for key, cell in cells(ws, "2026").items() if key.course_id == "1"}
    assert {(key.table, key.region): cell.learners for key, cell in found.items()} == {
        ("region_year", None): 56,
        ("region_year", "Oceania"): 1,
        ("region_year", "not known"): 55,
    }
    assert {cell.cohort_starters for cell in found.values()} == {0}, "cohorts are quarterly"


def test_only_the_tables_that_are_due_are_given(ws):
    period = periods.from_key("2026-Q4")
    with ws.database("export").transaction() as c:
        lists = period_view.build(c, ws.data_map, period, PLACES, HOSPITALS, ["1", "2", "4"])
        due = counting.due(period, {"1": "week", "2": "quarter"})
        found = counting.count(Postgres(c), period, lists, due, CAP)
    given = {(cell.course_id, cell.table) for cell in found}
    assert given == {(n, t) for n in "12" for t in ("country_quarter", "region_quarter")} | {("2", "period")}


def test_countries_and_institutions_of_people(ws, dsn):
    with Database(dsn).transaction() as c:
        for person, country, institution in (
            (60, "uk", "Vale Clinic"), (61, "GB", "  the  VALE "), (62, "FR", "Oak"), (63, "XX", "Unheard Hospital"),
            (64, "ZA", "Another"), (65, "ZA", ""),
        ):  # fmt: skip
            user = {"u": usage_world.person(person)}
            c.execute(
                text("UPDATE core.user_account SET country_declared = :c WHERE user_id = :u"), {"c": country, **user}
            )
            c.execute(
                text("INSERT INTO core.user_profile (user_id, institution, updated_at) VALUES (:u, :i, :at)"),
                {"i": institution, "at": WEEK.start, **user},
            )
    found = cells(ws, "2026-Q4")
    by_country = {
        key.country: cell for key, cell in found.items() if key.table == "country_quarter" and key.course_id == "2"
    }
    assert {code: cell.learners for code, cell in by_country.items()} == {"GB": 2, "FR": 1, "ZA": 2, "ZZ": 35}
    assert (by_country["GB"].institutions, by_country["GB"].largest_institution) == (1, 2), (
        "two spellings of one clinic"
    )
    assert (by_country["ZA"].institutions, by_country["ZA"].largest_institution) == (1, 2), "all unresolved are one"
    whole = found[course("2", "2026-Q4", "region_quarter")]
    assert (whole.institutions, whole.largest_institution) == (3, 37)
    by_region = {key.region: cell.learners for key, cell in found.items() if key.region and key.course_id == "2"}
    assert by_region == {"Europe": 3, "Africa": 2, "not known": 35}


def test_every_spelling_counts_where_the_map_trusts_them(ws, dsn):
    with Database(dsn).transaction() as c:
        for person, institution in ((60, "Unheard Hospital"), (61, "unheard hospital"), (62, "Another")):
            c.execute(
                text("INSERT INTO core.user_profile (user_id, institution, updated_at) VALUES (:u, :i, :at)"),
                {"u": usage_world.person(person), "i": institution, "at": WEEK.start},
            )
    usage = ws.data_map.usage
    trusting = usage.model_copy(
        update={"institution": usage.institution.model_copy(update={"resolved_by": "as_written"})}
    )
    ws = replace(ws, data_map=ws.data_map.model_copy(update={"usage": trusting}))
    assert cells(ws, WEEK.key)[course("2")].institutions == 3


def test_a_map_that_knows_no_place_and_no_institution_puts_everybody_into_the_public_classes(ws):
    bare = ws.data_map.usage.model_copy(update={"country": None, "institution": None, "passes": None})
    ws = replace(ws, data_map=ws.data_map.model_copy(update={"usage": bare}))
    found = cells(ws, "2026-Q4")
    assert {key.country for key in found if key.table == "country_quarter"} == {"ZZ"}
    assert {key.region for key in found if key.table == "region_quarter"} == {None, "not known"}
    assert found[course("1", "2026-Q4")].institutions == 1


def test_minutes_are_capped_by_london_days_also_when_the_clocks_go_back(ws, dsn):
    # 25 October 2026: a day of 25 hours, from 23:00 UTC to 24:00 UTC.
    with Database(dsn).transaction() as c:
        for at in (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 23, 59, tzinfo=UTC)):
            usage_world.view_page(c, 100, 41, at, 5000)
        usage_world.view_page(c, 101, 41, datetime(2026, 10, 24, 22, 59, tzinfo=UTC), 5000)
        usage_world.view_page(c, 101, 41, datetime(2026, 10, 24, 23, 1, tzinfo=UTC), 5000)
    cell = cells(ws, "2026-W43")[course("4", "2026-W43", module_id="41")]
    assert (cell.learners, cell.seconds) == (2, CAP + 10_000)
    assert (cell.seconds_top1, cell.seconds_top2) == (10_000, CAP)


def test_people_who_enter_no_statistic_are_in_no_table(ws, dsn):
    sql(dsn, "UPDATE core.user_account SET account_type = 'staff' WHERE user_id = :u", u=usage_world.person(0))
    sql(dsn, "UPDATE core.user_account SET status = 'restricted' WHERE user_id = :u", u=usage_world.person(1))
    sql(
        dsn,
        "INSERT INTO consent.preference_current (user_id, no_statistics, updated_at) VALUES (:u, true, now())",
        u=usage_world.person(2),
    )
    for key in (WEEK.key, "2026-Q4"):
        cell = cells(ws, key)[course("1", key)]
        assert (cell.learners, cell.starters) == (52, 52)
    assert course("1", module_id="12") not in cells(ws, WEEK.key), "all three people of the module are left out"


def test_the_same_publisher_on_duckdb(ws, dsn, tmp_path):
    with Database(dsn).transaction() as c:
        for module, hours in ((40, 3), (41, 1)):
            usage_world.view_page(c, 100, module, WEEK.start + timedelta(hours=5), hours * 3600)
        c.execute(text("UPDATE core.user_account SET country_declared = 'KE' WHERE username < 'person3'"))
    for key in (WEEK.key, "2026-Q4"):
        ours = cells(ws, key)
        assert ours
        assert cells(ws, key, folder=tmp_path) == ours
    assert cells(ws, WEEK.key)[course("4", module_id="40")].seconds == 50 * 1200 + 5400


def test_counting_twice_in_one_transaction_gives_the_same(ws):
    with ws.database("export").transaction() as c:
        answers = []
        for key in (WEEK.key, "2026-Q4", WEEK.key):
            period = periods.from_key(key)
            lists = period_view.build(c, ws.data_map, period, PLACES, HOSPITALS, ["1", "2"])
            answers.append(counting.count(Postgres(c), period, lists, {"1": ["period"], "2": ["period"]}, CAP))
    assert answers[0] == answers[2] != answers[1]


def test_the_registers_spellings_are_the_repositorys(ws):
    spellings = institutions.load(home_directory() / "include" / "registry")
    with ws.database("export").transaction() as c:
        lists = period_view.build(c, ws.data_map, periods.from_key(WEEK.key), PLACES, spellings, ["1"])
        known = c.execute(text("SELECT COUNT(*), COUNT(DISTINCT institution) FROM period_spelling")).one()
    assert lists.courses == ("1",)
    assert tuple(known) == (len(spellings), len({s.institution for s in spellings}))


def test_a_generated_publishers_quarter_on_both_engines(publisher, tmp_path):
    """People of many countries and hospitals, with spellings that nobody knows, progress and attempts."""
    ws = Workspace.load(publisher.settings)
    spellings = institutions.load(home_directory() / "include" / "registry")
    period = periods.from_key("2026-Q4")
    with ws.database("export").transaction() as c:
        courses = [str(n) for n in range(1, 61)]
        lists = period_view.build(c, ws.data_map, period, PLACES, spellings, courses)
        due = counting.due(period, dict.fromkeys(lists.courses, "quarter"))
        found = counting.count(Postgres(c), period, lists, due, CAP)
        duck.export(c, tmp_path)
    assert counting.count(duck.engine(tmp_path), period, lists, due, CAP) == found
    assert len({cell.country for cell in found}) > 5
    assert max(cell.institutions for cell in found) > 2
    for name in ("starters", "completers", "cohort_starters", "cohort_completers", "cohort_passed", "seconds_top2"):
        assert any(getattr(cell, name) for cell in found), name
    for cell in found:
        assert cell.cohort_completers <= min(cell.cohort_starters, cell.completers)
        assert cell.cohort_passed <= cell.cohort_starters <= cell.starters
