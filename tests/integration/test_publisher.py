"""The synthetic publisher on a real PostgreSQL and S3 endpoint: honest keys, repeatable rows, a sharp oracle."""

from __future__ import annotations

import hashlib
import secrets
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from privacy_ops.settings import ObjectSettings
from privacy_ops.stores.objects import ObjectStore

from sandbox.postgres import PostgresServer
from sandbox.publisher import generate, oracle, smallpress
from sandbox.publisher.database import Connection, connect
from sandbox.publisher.objects import BUCKETS, client, create_buckets
from sandbox.publisher.schema import OWNER, create_schema
from sandbox.publisher.truth import create_truth

ANCHOR = date(2026, 11, 22)
AS_OF = datetime(2026, 11, 22, 2, 15, tzinfo=UTC)
PEOPLE = 300


@dataclass(frozen=True)
class Made:
    dsn: str
    truth: str


@contextmanager
def databases(cluster: PostgresServer, *, publisher: bool = True, like: Made | None = None) -> Iterator[Made]:
    """An empty publisher and an empty truth, or copies of what ``like`` holds; dropped afterwards."""
    names = [f"test_{secrets.token_hex(6)}" for _ in range(2)]
    templates = [""] * 2 if like is None else [f'TEMPLATE "{d.rsplit("/", 1)[1]}"' for d in (like.dsn, like.truth)]
    with connect(cluster.dsn()) as connection:
        connection.autocommit = True
        for name, template in zip(names, templates, strict=True):
            connection.execute(f'CREATE DATABASE "{name}" {template}')
    try:
        made = Made(*map(cluster.dsn, names))
        if like is None:
            if publisher:
                create_schema(made.dsn, first=ANCHOR - timedelta(weeks=9), last=ANCHOR)
            create_truth(made.truth)
        yield made
    finally:
        with connect(cluster.dsn()) as connection:
            connection.autocommit = True
            for name in names:
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def fill(made: Made, objects: ObjectSettings | None = None, *, people: int = PEOPLE, seed: int = 7) -> dict[str, int]:
    return generate.load(made.dsn, made.truth, objects, people=people, seed=seed, anchor=ANCHOR, events_per_person=5)


@pytest.fixture(scope="module")
def filled(cluster: PostgresServer) -> Iterator[Made]:
    """A small publisher that tests only read."""
    with databases(cluster) as made:
        fill(made)
        yield made


def tables(connection: Connection) -> list[str]:
    found = connection.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return [name for (name,) in found]


FOREIGN_KEYS = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, c.confdeltype::text, c.confupdtype::text,
    array(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(n, o)
        JOIN pg_attribute ON attrelid = c.conrelid AND attnum = k.n ORDER BY o),
    array(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(n, o)
        JOIN pg_attribute ON attrelid = c.confrelid AND attnum = k.n ORDER BY o),
    EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey
        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] <@ c.conkey)
FROM pg_constraint AS c WHERE c.contype = 'f' AND c.conparentid = 0
"""


def digest(dsn: str) -> str:
    """A hash over every row of every table."""
    total = hashlib.sha256()
    with connect(dsn) as connection:
        for table in tables(connection):
            found = connection.execute(
                f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} AS t"
            ).fetchone()
            total.update(f"{table}={found}".encode())
    return total.hexdigest()


# --- schema -------------------------------------------------------------------------------------------------------


def test_every_foreign_key_is_indexed_and_takes_no_action(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        keys = connection.execute(FOREIGN_KEYS).fetchall()
    assert len(keys) > 45
    assert [k[0] for k in keys if not k[6]] == []
    assert {(k[2], k[3]) for k in keys} == {("a", "a")}


def test_schemas_belong_to_the_publisher(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(c.relowner) FROM pg_class AS c "
            "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = ANY(%s)",
            (list(oracle.SCHEMAS),),
        ).fetchall()
        login = connection.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone()
    assert owners == [(OWNER,)]
    assert login == (False,)


def test_page_views_lie_in_quarterly_partitions(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        quarter = connection.execute("SELECT min(at), max(at) FROM web.page_view_2026q4").fetchone()
        quarters = connection.execute(
            "SELECT count(*) FROM pg_inherits WHERE inhparent = 'web.page_view'::regclass"
        ).fetchone()
    assert quarter is not None
    assert datetime(2026, 10, 1, tzinfo=UTC) <= quarter[0] < quarter[1] < datetime(2027, 1, 1, tzinfo=UTC)
    assert quarters == (3,)


# --- generator ----------------------------------------------------------------------------------------------------


def test_the_same_seed_and_anchor_make_the_same_rows(cluster: PostgresServer, filled: Made) -> None:
    with databases(cluster) as again:
        fill(again)
        assert digest(again.dsn) == digest(filled.dsn)
        assert digest(again.truth) == digest(filled.truth)


def test_another_seed_makes_other_rows(cluster: PostgresServer, filled: Made) -> None:
    with databases(cluster) as other:
        fill(other, seed=8)
        assert digest(other.dsn) != digest(filled.dsn)


def test_every_foreign_key_leads_somewhere(filled: Made) -> None:
    """Rows are loaded without the checks of foreign keys: here they are made up for."""
    with connect(filled.dsn) as connection:
        for table, target, _, _, columns, references, _ in connection.execute(FOREIGN_KEYS).fetchall():
            join = " AND ".join(f"t.{c} = r.{r}" for c, r in zip(columns, references, strict=True))
            given = " AND ".join(f"t.{c} IS NOT NULL" for c in columns)
            orphans = connection.execute(
                f"SELECT count(*) FROM {table} AS t LEFT JOIN {target} AS r ON {join} "
                f"WHERE {given} AND r.{references[0]} IS NULL"
            ).fetchone()
            assert orphans == (0,), (table, columns)


def test_no_table_of_people_is_empty(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        empty = [t for t in tables(connection) if not connection.execute(f"SELECT 1 FROM {t} LIMIT 1").fetchone()]
    assert empty == ["learn.course_author", "learn.course_supporter"]  # whose rows are recipients, in gov


def test_people_are_made_up(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        foreign = connection.execute(
            "SELECT count(*) FROM core.user_account WHERE email_norm !~ '[.@]example[.]org$'"
        ).fetchone()
        outside = connection.execute(
            "SELECT count(*) FROM core.login_event WHERE NOT (ip <<= '192.0.2.0/24' OR ip <<= '198.51.100.0/24' "
            "OR ip <<= '203.0.113.0/24' OR ip <<= '2001:db8::/32')"
        ).fetchone()
    assert (foreign, outside) == ((0,), (0,))


def test_nothing_happens_after_the_anchor_or_before_registration(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        late = connection.execute("SELECT max(at) < %s FROM web.page_view", (ANCHOR,)).fetchone()
        early = connection.execute(
            "SELECT count(*) FROM learn.enrolment AS e JOIN core.user_account AS u USING (user_id) "
            "WHERE e.enrolled_at < u.created_at"
        ).fetchone()
        strange = connection.execute(
            "SELECT count(*) FROM learn.module_progress WHERE completed_at <= started_at OR started_at >= %s",
            (ANCHOR,),
        ).fetchone()
    assert (late, early, strange) == ((True,), (0,), (0,))


def test_a_session_belongs_to_one_person(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        shared = connection.execute(
            "SELECT count(*) FROM (SELECT session_id FROM web.page_view GROUP BY session_id "
            "HAVING count(DISTINCT coalesce(user_id::text, '')) > 1) AS s"
        ).fetchone()
    assert shared == (0,)


def test_ordinary_people_are_adults_however_their_date_is_read(filled: Made) -> None:
    with connect(filled.truth) as truth:
        planted = [k for (k,) in truth.execute("SELECT user_key FROM truth.planted_subject")]
    with connect(filled.dsn) as connection:
        youngest = connection.execute(
            "SELECT max(dob_date), max(right(dob_raw, 4)) FILTER (WHERE dob_raw LIKE '%%/%%'), "
            "max(left(dob_raw, 4)) FILTER (WHERE dob_raw LIKE '%%-%%') "
            "FROM core.user_profile WHERE user_id <> ALL(%s::uuid[])",
            (planted,),
        ).fetchone()
    assert youngest is not None
    assert youngest[0] < date(2006, 1, 1)
    assert max(youngest[1:]) < "2006"


def test_no_birthday_of_ordinary_people_is_over_represented(filled: Made) -> None:
    with connect(filled.dsn) as connection:
        most = connection.execute(
            "SELECT count(*) FROM core.user_profile WHERE dob_date IS NOT NULL "
            "AND to_char(dob_date, 'MM-DD') <> '01-01' GROUP BY dob_date ORDER BY 1 DESC LIMIT 1"
        ).fetchone()
    assert most is not None
    assert most[0] <= 4


def test_too_few_people_are_refused(cluster: PostgresServer) -> None:
    with pytest.raises(ValueError, match="at least"):
        generate.load("", "", None, people=10, seed=1, anchor=ANCHOR)


def test_a_failed_load_leaves_nothing(cluster: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no more")

    monkeypatch.setattr(generate, "_advance_sequences", broken)
    with databases(cluster) as made:
        with pytest.raises(RuntimeError, match="no more"):
            fill(made)
        with connect(made.dsn) as connection:
            assert connection.execute("SELECT count(*) FROM core.user_account").fetchone() == (0,)
        with connect(made.truth) as truth:
            assert truth.execute("SELECT count(*) FROM truth.planted_subject").fetchone() == (0,)


def test_memory_does_not_grow_with_people(cluster: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "CHUNK", 300)  # the same as 2,000 and 8,000 people in chunks of 2,000, sooner
    peaks = []
    for people in (300, 1_200):
        with databases(cluster) as made:
            tracemalloc.start()
            try:
                fill(made, people=people)
                peaks.append(tracemalloc.get_traced_memory()[1])
            finally:
                tracemalloc.stop()
    assert peaks[1] < 1.25 * peaks[0]
    assert peaks[1] < 30_000_000


# --- oracle -------------------------------------------------------------------------------------------------------


def erase(connection: Connection, keys: list[str], emails: list[str]) -> None:
    """A plain erasure by uuid columns and addresses, without a data map. Orders are kept without their buyer."""
    connection.execute("SET LOCAL session_replication_role = replica")
    connection.execute(
        "UPDATE commerce.order_header SET user_id = NULL, bill_name = NULL, bill_address = NULL, "
        "location_evidence_2 = NULL, psp_reference = NULL WHERE user_id = ANY(%s::uuid[])",
        (keys,),
    )
    connection.execute("DELETE FROM crm.email_subscriber WHERE user_id IS NULL AND email = ANY(%s)", (emails,))
    connection.execute("DELETE FROM core.registration_event WHERE user_id IS NULL AND email_norm = ANY(%s)", (emails,))
    connection.execute("DELETE FROM support.ticket WHERE user_id IS NULL AND requester_email = ANY(%s)", (emails,))
    connection.execute(
        "DELETE FROM support.ticket_message WHERE ticket_id NOT IN (SELECT id FROM support.ticket) "
        "OR ticket_id IN (SELECT id FROM support.ticket WHERE user_id = ANY(%s::uuid[]))",
        (keys,),
    )
    connection.execute(
        "DELETE FROM events.badge_scan WHERE badge_code IN "
        "(SELECT badge_code FROM events.attendee WHERE user_id = ANY(%s::uuid[]))",
        (keys,),
    )
    for table, columns in oracle._columns(connection).items():
        for column, kind in columns.items():
            if kind == "uuid" and column.endswith("user_id"):
                connection.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s::uuid[])", (keys,))


@pytest.fixture
def publisher(cluster: PostgresServer, filled: Made) -> Iterator[Made]:
    """A copy that a test may change."""
    with databases(cluster, like=filled) as made:
        yield made


def wanted(made: Made) -> list[oracle.Planted]:
    return [p for p in oracle.expected(made.truth, AS_OF).values() if p.outcome == "must_erase"]


def test_before_any_run_everything_is_missed_and_nothing_wrong(filled: Made) -> None:
    scored = oracle.score(filled.truth, filled.dsn, None, AS_OF)
    assert scored["missed"] == scored["must_erase"] == 25
    assert scored["held"] == 2
    assert scored["erased"] == scored["wrongly_erased"] == scored["rows_of_others_lost"] == 0
    assert scored["wrongly_released"] == scored["held"] + scored["suspected_planted"]
    assert scored["suspected_found"] == scored["flags_found"] == scored["wrongly_restricted"] == 0
    assert scored["rows_misjudged_by_table"] == {
        "core.guardian_contact reviewed": 1,
        "events.attendee gone": 2,
        "submissions.submission_file quarantined": 1,
    }
    assert scored["residual_rows"] > 100
    assert scored["people_before"] == scored["people_after"] == PEOPLE


def test_perfect_erasure_scores_zero(publisher: Made) -> None:
    people = wanted(publisher)
    with connect(publisher.dsn) as connection:
        erase(connection, [p.user_key for p in people], [p.email for p in people])
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF)
    assert scored["erased"] == scored["must_erase"] == len(people)
    assert scored["residual_rows_by_table"] == {}
    assert (scored["missed"], scored["wrongly_erased"], scored["rows_of_others_lost"]) == (0, 0, 0)
    assert scored["retained_with_identity"] == 0
    assert scored["canaries_erased"] == scored["canaries"] == 1


@pytest.mark.parametrize(
    ("leave", "table"),
    [
        ("INSERT INTO web.search_query (user_id, q, at) VALUES (%(key)s, 'x', now())", "web.search_query"),
        (
            "INSERT INTO web.search_query (q, at) VALUES ('mail ' || upper(%(email)s) || ', please', now())",
            "web.search_query",
        ),
        ("INSERT INTO web.search_query (q, at) VALUES ('about %(token)s', now())", "web.search_query"),
        (
            "INSERT INTO feedback.survey_response (survey_id, answers, at) "
            "VALUES (1, jsonb_build_object('text', 'I am ' || %(key)s), now())",
            "feedback.survey_response",
        ),
    ],
    ids=["by key", "by address in text", "by a name that is nobody else's", "by key inside json"],
)  # fmt: skip
def test_one_forgotten_row_is_found(publisher: Made, leave: str, table: str) -> None:
    people = wanted(publisher)
    canary = next(p for p in people if p.canary)
    with connect(publisher.dsn) as connection:
        erase(connection, [p.user_key for p in people], [p.email for p in people])
        connection.execute("SET LOCAL session_replication_role = replica")
        leave = leave.replace("%(token)s", str(canary.token))
        connection.execute(leave, {"key": canary.user_key, "email": canary.email})  # type: ignore[arg-type]
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF)
    assert scored["residual_rows_by_table"] == {table: 1}


@pytest.mark.parametrize("who", ["ordinary", "trap", "held"])
def test_one_person_too_many_is_found(publisher: Made, who: str) -> None:
    planted = oracle.expected(publisher.truth, AS_OF)
    with connect(publisher.truth) as truth:
        control = truth.execute("SELECT user_key FROM truth.control_subject LIMIT 1").fetchone()
    assert control is not None
    victim = {
        "ordinary": control[0],
        "trap": next(p.user_key for p in planted.values() if p.name == "doctor_with_typo"),
        "held": next(p.user_key for p in planted.values() if p.outcome == "must_hold"),
    }[who]
    with connect(publisher.dsn) as connection:
        erase(connection, [victim], [])
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF)
    assert scored["wrongly_erased"] == 1
    assert scored["control_sample_gone"] == (who == "ordinary")
    assert scored["erased_in_spite_of_hold"] == (who == "held")


def test_whom_people_confirmed_is_not_wrongly_gone_and_is_missed_when_still_there(publisher: Made) -> None:
    doctor, *others = (p for p in oracle.expected(publisher.truth, AS_OF).values() if p.outcome == "must_review")
    left = others[0]
    before, after = AS_OF - timedelta(hours=1), AS_OF + timedelta(hours=1)
    with connect(publisher.dsn) as connection:
        erase(connection, [doctor.user_key], [doctor.email])

    def score(confirmed: dict[str, datetime]) -> dict[str, Any]:
        names = ("wrongly_erased", "people_confirmed", "people_confirmed_erased", "people_confirmed_missed")
        scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF, confirmed=confirmed)
        return {name.removeprefix("people_confirmed_"): scored[name] for name in names}

    one = {"wrongly_erased": 0, "people_confirmed": 1, "erased": 1, "missed": 0}
    assert score({}) == {"wrongly_erased": 1, "people_confirmed": 0, "erased": 0, "missed": 0}
    assert score({doctor.user_key: before}) == one
    assert score({doctor.user_key: before, left.user_key: after}) == one | {"people_confirmed": 2}
    assert score({doctor.user_key: before, left.user_key: before}) == one | {"people_confirmed": 2, "missed": 1}


@pytest.mark.parametrize("who", ["ordinary", "medical_student", "school_staff"])
def test_a_restriction_without_reason_is_found(publisher: Made, who: str) -> None:
    with connect(publisher.truth) as truth:
        victim = truth.execute(
            "SELECT user_key FROM truth.planted_subject WHERE name = %s UNION ALL "
            "(SELECT user_key FROM truth.control_subject WHERE %s = 'ordinary' LIMIT 1)",
            (who, who),
        ).fetchone()
    with connect(publisher.dsn) as connection:
        connection.execute("UPDATE core.user_account SET status = 'restricted' WHERE user_id = %s::uuid", victim)
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF)
    assert scored["wrongly_restricted"] == 1
    assert scored["ordinary_adults_restricted"] == (who == "ordinary")


def test_a_lost_reply_of_somebody_else_is_found(publisher: Made) -> None:
    with connect(publisher.truth) as truth:
        reply = truth.execute("SELECT value FROM truth.kept_row WHERE table_name = 'feedback.comment'").fetchone()
    assert reply is not None
    with connect(publisher.dsn) as connection:
        connection.execute("DELETE FROM feedback.comment WHERE id = %s", reply)
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF)
    assert scored["rows_of_others_lost_by_table"] == {"feedback.comment": 1}


def test_an_order_kept_with_its_buyers_name_is_found(publisher: Made) -> None:
    people = wanted(publisher)
    with connect(publisher.truth) as truth:
        order = truth.execute("SELECT value FROM truth.kept_row WHERE table_name = 'commerce.order_header'").fetchone()
    with connect(publisher.dsn) as connection:
        erase(connection, [p.user_key for p in people], [p.email for p in people])
        connection.execute("UPDATE commerce.order_header SET bill_name = 'Somebody' WHERE order_id = %s", order)
    assert oracle.score(publisher.truth, publisher.dsn, None, AS_OF)["retained_with_identity"] == 1


def test_who_turns_eighteen_tomorrow_is_judged_at_the_runs_as_of(filled: Made) -> None:
    def outcome(as_of: datetime) -> str:
        planted = oracle.expected(filled.truth, as_of).values()
        return next(p.outcome for p in planted if p.name == "minor_turns_18_tomorrow")

    assert outcome(datetime(2026, 11, 22, 23, 59, tzinfo=UTC)) == "must_erase"
    assert outcome(datetime(2026, 11, 23, 0, 0, tzinfo=UTC)) == "must_leave_alone"


# --- further nights -----------------------------------------------------------------------------------------------


def test_a_night_adds_fresh_minors_and_counts_only_these(publisher: Made) -> None:
    generate.plant_night(publisher.dsn, publisher.truth, None, night=1, seed=7, anchor=ANCHOR)
    generate.plant_night(publisher.dsn, publisher.truth, None, night=2, seed=7, anchor=ANCHOR)
    scored = oracle.score(publisher.truth, publisher.dsn, None, AS_OF, night=2)
    assert scored["must_erase"] == scored["missed"] == 13
    assert scored["canaries"] == 1
    assert scored["people_before"] == scored["people_after"] == PEOPLE + 26
    assert scored["wrongly_erased"] == 0
    with connect(publisher.dsn) as connection:  # the sequences know of the new rows
        connection.execute("INSERT INTO web.search_query (q, at) VALUES ('new', now())")


def test_who_was_erased_last_night_and_is_adult_tonight_is_no_error(publisher: Made) -> None:
    people = wanted(publisher)
    assert "minor_turns_18_tomorrow" in {p.name for p in people}
    with connect(publisher.dsn) as connection:
        erase(connection, [p.user_key for p in people], [p.email for p in people])
    generate.plant_night(publisher.dsn, publisher.truth, None, night=1, seed=7, anchor=ANCHOR)
    tonight = oracle.score(publisher.truth, publisher.dsn, None, AS_OF + timedelta(days=1), night=1)
    assert tonight["wrongly_erased"] == 0
    again = oracle.score(publisher.truth, publisher.dsn, None, AS_OF + timedelta(days=1))
    assert again["wrongly_erased_by_name"] == {"minor_turns_18_tomorrow": 1}  # erased by a run of that day


def test_the_same_night_twice_is_refused(publisher: Made) -> None:
    generate.plant_night(publisher.dsn, publisher.truth, None, night=1, seed=7, anchor=ANCHOR)
    before = digest(publisher.dsn)
    with pytest.raises(Exception, match="load_publisher_night_key"):
        generate.plant_night(publisher.dsn, publisher.truth, None, night=1, seed=7, anchor=ANCHOR)
    assert digest(publisher.dsn) == before


# --- objects ------------------------------------------------------------------------------------------------------


def test_buckets_are_what_they_say(objects: ObjectStore, object_settings: ObjectSettings) -> None:
    create_buckets(object_settings)
    create_buckets(object_settings)  # again: nothing to do
    assert set(objects.buckets()) == {b.name for b in BUCKETS}
    for bucket in BUCKETS:
        facts = objects.facts(bucket.name)
        assert (facts.location or "us-east-1") == bucket.region
        assert facts.versioning == bucket.versioned
        assert facts.object_lock == bucket.locked
        assert facts.replication_targets == ((bucket.replicates_to,) if bucket.replicates_to else ())


def test_every_version_and_marker_counts_as_residue(
    cluster: PostgresServer, objects: ObjectStore, object_settings: ObjectSettings
) -> None:
    create_buckets(object_settings)
    with databases(cluster) as made:
        counts = fill(made, object_settings)
        assert counts["objects"] > 50
        people = wanted(made)
        canary = next(p for p in people if p.canary)
        left = oracle.residual_objects(object_settings, [canary])
        assert set(left) >= {
            "imp-mobile-events",
            "imp-certificates",
            "imp-submissions",
            "imp-survey-attachments",
            "imp-support-attachments",
        }
        s3 = client(object_settings)
        for bucket in left:  # a delete without version ids: hides everything, erases nothing that is versioned
            for key in list(objects.keys(bucket)):
                s3.delete_object(Bucket=bucket, Key=key)
        hidden = oracle.residual_objects(object_settings, [canary])
        assert "imp-mobile-events" not in hidden
        assert hidden["imp-support-attachments"] == left["imp-support-attachments"]
        for bucket in left:
            objects.delete_versions(bucket, list(objects.versions(bucket)))
        assert not set(oracle.residual_objects(object_settings, [canary])) & set(left)


def test_keys_in_rows_have_objects(
    cluster: PostgresServer, objects: ObjectStore, object_settings: ObjectSettings
) -> None:
    create_buckets(object_settings)
    with databases(cluster) as made:
        fill(made, object_settings)
        with connect(made.dsn) as connection:
            for bucket, statement in {
                "imp-profile-photos": "SELECT photo_key FROM core.user_profile WHERE photo_key IS NOT NULL",
                "imp-certificates": "SELECT pdf_key FROM learn.certificate WHERE pdf_key IS NOT NULL",
                "imp-support-attachments": "SELECT unnest(attachments) FROM support.ticket_message",
            }.items():
                named = {key for (key,) in connection.execute(statement)}  # type: ignore[arg-type]
                assert named == set(objects.keys(bucket))


def test_undeclared_flows_are_in_the_truth(filled: Made) -> None:
    assert oracle.undeclared_flows(filled.truth) == {
        "bucket:imp-analytics-scratch": "IN",
        "bucket:imp-backups-copy": "US",
        "replication:imp-backups>imp-backups-copy": "US",
    }


# --- the small press ----------------------------------------------------------------------------------------------


@pytest.fixture
def press(cluster: PostgresServer) -> Iterator[Made]:
    with databases(cluster, publisher=False) as made:
        smallpress.create_smallpress(made.dsn)
        smallpress.fill_smallpress(made.dsn, made.truth, seed=7, anchor=ANCHOR)
        yield made


def test_small_press_has_honest_keys_a_cycle_and_a_self_reference(press: Made) -> None:
    with connect(press.dsn) as connection:
        keys = connection.execute(FOREIGN_KEYS).fetchall()
        for table, target, _, _, columns, references, indexed in keys:
            assert indexed, table
            join = " AND ".join(f"t.{c} = r.{r}" for c, r in zip(columns, references, strict=True))
            given = " AND ".join(f"t.{c} IS NOT NULL" for c in columns)
            orphans = connection.execute(
                f"SELECT count(*) FROM {table} AS t LEFT JOIN {target} AS r ON {join} "
                f"WHERE {given} AND r.{references[0]} IS NULL"
            ).fetchone()
            assert orphans == (0,), table
    pairs = {(k[0], k[1]) for k in keys}
    assert {("reader", "household"), ("household", "reader"), ("reader", "reader")} <= pairs


def test_small_press_is_scored(press: Made) -> None:
    before = oracle.score_smallpress(press.truth, press.dsn, AS_OF)
    assert before["planted_confirmed"] == before["missed"] == smallpress.MINORS + 1
    assert before["wrongly_erased"] == 0
    assert before["residual_rows"] > 50
    with connect(press.dsn) as connection:
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute("DELETE FROM reader WHERE reader_no = 101 AND branch_code = 'NOR'")
    assert oracle.score_smallpress(press.truth, press.dsn, AS_OF)["wrongly_erased"] == 1
