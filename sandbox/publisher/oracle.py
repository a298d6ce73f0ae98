"""An independent judge of the deletion job, on the recorded as-of of the run.

Reads the truth database and looks at the publisher as a superuser, from PostgreSQL's own catalogue and the raw
S3 listing. It shares no code with the jobs, and counts birthdays in its own way.
"""

from __future__ import annotations

import gzip
import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from privacy_ops.settings import ObjectSettings

from sandbox.publisher.database import Connection, connect
from sandbox.publisher.objects import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Outcome = Literal["must_erase", "must_hold", "must_review", "must_flag", "must_leave_alone", "people_confirmed"]

SCHEMAS = (
    "core", "consent", "crm", "commerce", "learn", "web", "mobile", "feedback", "support", "events", "submissions",
)  # fmt: skip
# Public record, by the author's own act: an editor and the privacy lead decide, never a machine.
REVIEWED_BY_PEOPLE = ("submissions.submission_author",)
ORDERS = "commerce.order_header"
# An order is kept by law when its buyer is erased: without the buyer.
RETAINED_WITH_IDENTITY = (
    "SELECT count(*) FROM commerce.order_header WHERE order_id = ANY(%s::bigint[]) AND user_id IS NULL "
    "AND num_nonnulls(bill_name, bill_address, location_evidence_2, psp_reference) > 0"
)
_EMAIL = r"[[:alnum:]._+-]+@[[:alnum:].-]+[[:alnum:]]"
_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TEXTUAL = ("text", "character varying", "jsonb", "json", "text[]")


def reaches_eighteen(born: date) -> date:
    """The day at whose beginning a person is 18. Somebody born on 29 February is 18 on 1 March."""
    number = (born.year + 18) * 10_000 + born.month * 100 + born.day
    year, month, day = number // 10_000, number // 100 % 100, number % 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (month, day) == (2, 29) and not leap:
        month, day = 3, 1
    return date(year, month, day)


def judge(expectation: str, dob_min: date | None, dob_max: date | None, hold: str | None, day: date) -> Outcome:
    """What must have become of a planted person on the London date ``day``."""
    if expectation == "never":
        return "must_leave_alone"
    if expectation == "flag":
        return "must_flag"
    if dob_max is not None and day >= reaches_eighteen(dob_max):
        return "must_leave_alone"  # even the youngest that was stated is an adult
    if expectation == "review":
        return "must_review"
    if dob_min is None or dob_max is None:
        raise ValueError("a person to be judged has no date of birth in the truth")
    # Everybody born in the interval is a minor only if the eldest is.
    if day >= reaches_eighteen(dob_min):
        return "must_review"
    return "must_hold" if hold in {"legal_hold", "access_request"} else "must_erase"


def london(as_of: datetime) -> date:
    """The civil date in London at an aware instant."""
    if as_of.tzinfo is None:
        raise ValueError("as_of must carry its time zone")
    return as_of.astimezone(ZoneInfo("Europe/London")).date()


@dataclass(frozen=True)
class Planted:
    """One planted person and what must have become of them."""

    user_key: str
    email: str
    token: str | None
    name: str
    signal: str
    canary: bool
    shared_email: bool
    seen_as: str
    outcome: Outcome


def expected(
    truth_dsn: str, as_of: datetime, night: int | None = None, *, publisher: str = "imp"
) -> dict[str, Planted]:
    """What must have become of each planted person, by key; of one ``night``, or of all up to now (None)."""
    day = london(as_of)
    with connect(truth_dsn) as truth:
        found = truth.execute(
            "SELECT user_key, email, token, name, signal, canary, shared_email, seen_as, expectation, dob_min, dob_max,"
            " hold FROM truth.planted_subject WHERE publisher = %s AND (%s::integer IS NULL OR night = %s)",
            (publisher, night, night),
        ).fetchall()
    return {
        key: Planted(key, email or "", token, name, signal, canary, shared, seen, judge(expectation, *born, hold, day))
        for key, email, token, name, signal, canary, shared, seen, expectation, *born, hold in found
    }


def score(
    truth_dsn: str,
    dsn: str,
    object_settings: ObjectSettings | None,
    as_of: datetime,
    night: int | None = None,
    confirmed: Mapping[str, datetime] | None = None,
) -> dict[str, Any]:
    """Compare the publisher with the truth after a run judged at ``as_of``. Counts only, no person.

    ``confirmed``: whom people confirmed, by key, and when. They were to be asked about and were: nobody of them is
    wrongly gone, they are told apart, and a run judged after the decision has to have erased them.

    ``night`` limits the planted people that are counted; who is wrongly gone, and how many people there are,
    always counts everybody. ``dsn`` and ``truth_dsn`` are a superuser's.
    """
    confirmed = confirmed or {}
    planted = _decided(expected(truth_dsn, as_of, night), confirmed)
    everybody = _decided(expected(truth_dsn, as_of), confirmed)
    with connect(truth_dsn) as truth:
        before = _number(truth, "SELECT coalesce(sum(people), 0) FROM truth.load WHERE publisher = 'imp'")
        control = {k for (k,) in truth.execute("SELECT user_key FROM truth.control_subject")}
        # At the anchor of their own night: nobody who was to be erased then is gone without reason.
        erased_then = {
            key
            for key, expectation, low, high, hold, anchor in truth.execute(
                "SELECT s.user_key, s.expectation, s.dob_min, s.dob_max, s.hold, l.anchor "
                "FROM truth.planted_subject AS s JOIN truth.load AS l USING (publisher, night) "
                "WHERE publisher = 'imp'"
            )
            if judge(expectation, low, high, hold, anchor) == "must_erase"
        }
        kept = truth.execute("SELECT table_name, column_name, value FROM truth.kept_row").fetchall()
        own_rows = truth.execute(
            "SELECT table_name, column_name, value, expectation FROM truth.planted_row "
            "WHERE %s::integer IS NULL OR night = %s",
            (night, night),
        ).fetchall()
        shared = truth.execute("SELECT bucket, key, user_keys FROM truth.shared_object").fetchall()
    with connect(dsn) as publisher:
        present = _present(publisher, [*everybody, *control])
        after = _number(publisher, "SELECT count(*) FROM core.user_account")
        restricted = {
            k for (k,) in publisher.execute("SELECT user_id::text FROM core.user_account WHERE status = 'restricted'")
        }
        erase = [p for p in planted.values() if p.outcome == "must_erase"]
        decided = [p for p in everybody.values() if p.outcome == "people_confirmed"]
        erased = [*erase, *(p for p in decided if p.user_key not in present)]
        rows = residual_rows(publisher, erased)
        identified = _number(publisher, RETAINED_WITH_IDENTITY, [v for t, _, v in kept if t == ORDERS])
        lost = [table for table, column, value in kept if not _exists(publisher, table, column, value)]
        cases, questions = _cases(publisher), _questions(publisher)
        rows_missed = [
            f"{table} {expectation}"
            for table, column, value, expectation in own_rows
            if not _row_is(publisher, cases, table, column, value, expectation)
        ]
    objects = residual_objects(object_settings, erased) if object_settings else {}
    gone = {key for key in everybody if key not in present}
    lost_shared = lost_shared_rows(object_settings, shared, gone) if object_settings else 0

    def of(outcome: Outcome) -> list[Planted]:
        return [p for p in planted.values() if p.outcome == outcome]

    hold, review, flag = of("must_hold"), of("must_review"), of("must_flag")
    classes = {key: kind for (table, key), kind in cases.items() if table == "core.user_account"}
    # Restricted: also by a case whose account is not locked (a source that cannot be trusted).
    untouched = [p for p in everybody.values() if p.outcome in {"must_leave_alone", "must_flag"}]
    stay = {"must_leave_alone", "must_flag", "must_review", "must_hold"}
    planted_gone = {k for k in gone if everybody[k].outcome in stay and (k in planted or k not in erased_then)}
    # Everybody who is gone and was not planted is an ordinary adult.
    ordinary_gone = before - after - len(gone)
    held_gone = sum(everybody[k].outcome == "must_hold" for k in planted_gone)
    wrongly_restricted = [p for p in untouched if p.user_key in restricted]
    ordinary_restricted = len(restricted - everybody.keys())
    released = [p for p in (*hold, *review) if p.user_key in present and p.user_key not in restricted]
    found = [p for p in review if p.user_key in restricted and p.user_key in classes]
    differs = [
        p
        for p in (*hold, *review)
        if p.user_key in classes and classes[p.user_key] not in _CLASSES.get(p.seen_as or p.outcome, {p.seen_as})
    ]
    return {
        "planted_confirmed": len(erase) + len(hold),
        "must_erase": len(erase),
        "erased": sum(p.user_key in gone for p in erase),
        "held": sum(p.user_key in present for p in hold),
        "held_and_restricted": sum(p.user_key in restricted for p in hold),
        "erased_in_spite_of_hold": held_gone,
        "missed": sum(p.user_key in present for p in erase),
        "missed_by_name": _names(p for p in erase if p.user_key in present),
        "wrongly_erased": len(planted_gone) + max(ordinary_gone, 0),
        "people_confirmed": len(decided),
        "people_confirmed_erased": sum(p.user_key in gone for p in decided),
        "people_confirmed_missed": sum(p.user_key in present and confirmed[p.user_key] <= as_of for p in decided),
        "wrongly_erased_by_name": _names(everybody[k] for k in planted_gone),
        "ordinary_adults_gone": ordinary_gone,
        "suspected_planted": len(review),
        "suspected_found": len(found),
        "suspected_by_class": dict(sorted(Counter(classes[p.user_key] for p in found).items())),
        "wrongly_released": len(released),
        "wrongly_released_by_name": _names(released),
        "wrongly_restricted": len(wrongly_restricted) + ordinary_restricted,
        "wrongly_restricted_by_name": _names(wrongly_restricted),
        "class_differs": len(differs),
        "class_differs_by_name": _names(differs),
        "flags_planted": len(flag),
        "flags_found": sum(p.user_key in questions for p in flag),
        "flags_missed_by_name": _names(p for p in flag if p.user_key not in questions),
        "third_party_planted": sum(e == "quarantined" for *_, e in own_rows),
        "child_rows_planted": sum(e == "gone" for *_, e in own_rows),
        "rows_misjudged": len(rows_missed),
        "rows_misjudged_by_table": dict(sorted(Counter(rows_missed).items())),
        "review_queue": sum(kind not in _MACHINE for kind in cases.values()),
        "review_queue_by_class": dict(sorted(Counter(k for k in cases.values() if k not in _MACHINE).items())),
        "control_sample": len(control),
        "control_sample_gone": len(control - present),
        "people_before": before,
        "people_after": after,
        "residual_rows": sum(rows.values()),
        "residual_rows_by_table": rows,
        "residual_objects": sum(objects.values()),
        "residual_objects_by_bucket": objects,
        "shared_rows_of_others_lost": lost_shared,
        "retained_with_identity": identified,
        "rows_of_others_lost": len(lost),
        "rows_of_others_lost_by_table": dict(Counter(lost)),
        "canaries": sum(p.canary for p in erase),
        "canaries_erased": sum(p.canary and p.user_key in gone for p in erase),
        "must_leave_alone": len(of("must_leave_alone")),
        "restricted": len(restricted),
        "ordinary_adults_restricted": ordinary_restricted,
    }


def _decided(planted: Mapping[str, Planted], confirmed: Collection[str]) -> dict[str, Planted]:
    """Of those about whom people are asked, the ones whom people confirmed, told apart. Nobody else's outcome moves."""
    return {
        key: replace(p, outcome="people_confirmed") if p.outcome == "must_review" and key in confirmed else p
        for key, p in planted.items()
    }


# What no run may leave behind, whoever is in the publisher.
MUST_BE_ZERO = (
    "missed",
    "people_confirmed_missed",
    "wrongly_erased",
    "ordinary_adults_gone",
    "erased_in_spite_of_hold",
    "wrongly_released",
    "wrongly_restricted",
    "class_differs",
    "rows_misjudged",
    "residual_rows",
    "residual_objects",
    "retained_with_identity",
    "rows_of_others_lost",
    "shared_rows_of_others_lost",
)

# What a case may say of somebody whom people must see; and classes that a machine finishes by itself or only notes.
_CLASSES = {
    "must_review": {"SUSPECTED_MINOR", "INDETERMINATE"},
    "must_hold": {"CONFIRMED_MINOR"},
}
_MACHINE = {"CONFIRMED_MINOR", "ADULT_NOW_COLLECTED_AS_MINOR"}


def _cases(connection: Connection) -> dict[tuple[str, str], str]:
    """Class of every open case, by table and first part of the key."""
    if not _is_table(connection, "gov.minor_case"):
        return {}
    found = connection.execute(
        "SELECT subject_table, subject_key[1], class FROM gov.minor_case "
        "WHERE subject_key IS NOT NULL AND state NOT IN ('CLOSED', 'CLEARED')"
    )
    return {(table, key): kind for table, key, kind in found}


def _questions(connection: Connection) -> set[str]:
    """Accounts of which only a circumstance is noted."""
    if not _is_table(connection, "gov.age_question"):
        return set()
    return {k for (k,) in connection.execute("SELECT subject_key[1] FROM gov.age_question WHERE class = 'WEAK_SIGNAL'")}


def _is_table(connection: Connection, name: str) -> bool:
    found = connection.execute("SELECT to_regclass(%s)", (name,)).fetchone()
    return bool(found and found[0])


def _row_is(
    connection: Connection, cases: Mapping[tuple[str, str], str], table: str, column: str, value: str, what: str
) -> bool:
    """Whether a row that is a person of its own, or holds some, is what it must be."""
    found = connection.execute(f"SELECT to_jsonb(t) FROM {table} AS t WHERE {column} = %s", (value,)).fetchall()  # noqa: S608
    if what == "gone":
        return not found
    if what == "quarantined":
        return bool(found) and all(row["scan_status"] == "quarantined" for (row,) in found)
    return bool(found) and all((table, str(row["id"])) in cases for (row,) in found)


def _names(people: Iterable[Planted]) -> dict[str, int]:
    return dict(sorted(Counter(p.name for p in people).items()))


def _number(connection: Connection, statement: str, values: list[str] | None = None) -> int:
    row = connection.execute(statement, None if values is None else (values,)).fetchone()  # type: ignore[arg-type]
    return int(row[0]) if row else 0


def _present(connection: Connection, keys: list[str]) -> set[str]:
    found = connection.execute("SELECT user_id::text FROM core.user_account WHERE user_id = ANY(%s::uuid[])", (keys,))
    return {key for (key,) in found}


def _exists(connection: Connection, table: str, column: str, value: str) -> bool:
    found = connection.execute(f"SELECT 1 FROM {table} WHERE {column} = %s", (value,))  # noqa: S608
    return found.fetchone() is not None


def residual_rows(connection: Connection, people: Iterable[Planted]) -> dict[str, int]:
    """Rows left of ``people`` in any table: by every uuid column, and by key, mail address or
    token in any text.

    A row under somebody else's key is theirs even if it names the address, and an address that is shared with
    another person is not looked for.
    """
    people = list(people)
    # Indexed: otherwise every text that names anybody is compared with everybody.
    connection.execute(
        "CREATE TEMPORARY TABLE wanted (user_id uuid PRIMARY KEY, written text UNIQUE, email text) ON COMMIT DROP"
    )
    with connection.cursor() as cursor, cursor.copy("COPY wanted FROM STDIN") as copy:
        for person in people:
            key = person.user_key.lower()
            copy.write_row((key, key, None if person.shared_email else person.email.lower()))
    connection.execute("CREATE INDEX ON wanted (email)")
    connection.execute("ANALYZE wanted")
    tokens = "|".join(p.token for p in people if p.token and p.token.isalnum())
    left: dict[str, int] = {}
    for table, columns in _columns(connection).items():
        if table in REVIEWED_BY_PEOPLE:
            continue
        uuids = [c for c, kind in columns.items() if kind == "uuid"]
        texts = [c for c, kind in columns.items() if kind in _TEXTUAL]
        owners = [c for c in uuids if c.endswith("user_id")]
        conditions = [f't."{c}" IN (SELECT user_id FROM wanted)' for c in uuids]  # noqa: S608
        mine = " AND ".join(f't."{c}" IS NULL' for c in owners) or "true"
        for c in texts:
            value = f't."{c}"::text'
            conditions.append(
                f"({value} LIKE '%@%' AND ({mine}) AND EXISTS (SELECT FROM regexp_matches({value}, "
                f"'{_EMAIL}', 'g') AS m(hit) JOIN wanted ON email = lower(m.hit[1])))"
            )
            if tokens:
                conditions.append(f"{value} ~* '{tokens}'")
            conditions.append(
                f"({value} ~ '{_UUID}' AND EXISTS (SELECT FROM regexp_matches({value}, "
                f"'{_UUID}', 'g') AS m(hit) JOIN wanted ON written = lower(m.hit[1])))"
            )
        if conditions and (
            found := _number(connection, f"SELECT count(*) FROM {table} AS t WHERE {' OR '.join(conditions)}")  # noqa: S608
        ):
            left[table] = found
    return left


def _columns(connection: Connection) -> dict[str, dict[str, str]]:
    """Type of every column of every table of the publisher; partitions count as their parent."""
    found = connection.execute(
        "SELECT n.nspname || '.' || c.relname, a.attname, format_type(a.atttypid, NULL) "
        "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s) ORDER BY 1, a.attnum",
        (list(SCHEMAS),),
    )
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in found:
        tables.setdefault(table, {})[column] = kind
    return tables


def residual_objects(settings: ObjectSettings, people: Iterable[Planted]) -> dict[str, int]:
    """Versions and markers left, in any bucket, whose key or body names one of ``people``. By bucket."""
    keys: set[str] = set()
    emails: set[str] = set()
    for person in people:
        keys.add(person.user_key.lower())
        if not person.shared_email:
            emails.add(person.email.lower())
    s3 = client(settings, connections=8)
    left: Counter[str] = Counter()
    with ThreadPoolExecutor(8) as pool:
        for bucket in s3.list_buckets().get("Buckets", []):
            name = bucket.get("Name", "")
            for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
                for marker in page.get("DeleteMarkers", []):
                    left[name] += _mentions(marker.get("Key", ""), keys, emails)
                versions = [(v.get("Key", ""), v.get("VersionId", "null")) for v in page.get("Versions", [])]
                bodies = pool.map(lambda v, b=name: _body(s3, b, *v), versions)  # type: ignore[misc]
                for (key, _), body in zip(versions, bodies, strict=True):
                    left[name] += _mentions(f"{key}\n{body}", keys, emails)
    return {name: n for name, n in sorted(left.items()) if n}


_OBJECT_EMAIL = re.compile(r"[\w.+-]+@[\w.-]*\w")
_OBJECT_UUID = re.compile(_UUID)
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"


def _mentions(text: str, keys: set[str], emails: set[str]) -> bool:
    return any(u.lower() in keys for u in _OBJECT_UUID.findall(text)) or any(
        e.lower() in emails for e in _OBJECT_EMAIL.findall(text)
    )


def _body(s3: S3Client, bucket: str, key: str, version: str | None) -> str:
    """The text of one version: unpacked, and of Parquet every value."""
    answer = s3.get_object(Bucket=bucket, Key=key, **({} if version in {None, "null"} else {"VersionId": version}))  # type: ignore[arg-type]
    raw = answer["Body"].read()
    if raw.startswith(_GZIP):
        raw = gzip.decompress(raw)
    if raw.startswith(_PARQUET):
        import pyarrow.parquet

        rows = pyarrow.parquet.read_table(io.BytesIO(raw)).to_pylist()
        return "\n".join(" ".join(map(str, row.values())) for row in rows)
    return str(raw.decode("utf-8", "replace"))


def lost_shared_rows(
    settings: ObjectSettings, shared: Iterable[tuple[str, str, list[str]]], gone: Collection[str]
) -> int:
    """Rows of people who are still there that are missing from the objects that held them."""
    s3 = client(settings)
    lost = 0
    for bucket, key, people in shared:
        there = set(_OBJECT_UUID.findall(_body(s3, bucket, key, None).lower()))
        lost += sum(person not in there for person in people if person not in gone)
    return lost


def undeclared_flows(truth_dsn: str) -> Mapping[str, str]:
    """The planted flows that no register names: place to country."""
    with connect(truth_dsn) as truth:
        return dict(truth.execute("SELECT place, country FROM truth.planted_flow WHERE NOT declared").fetchall())


SMALLPRESS_TABLES = (
    ("reader", "branch_code", "reader_no"),
    ("reader", "invited_by_branch", "invited_by_no"),
    ("household", "contact_branch", "contact_no"),
    ("loan", "branch_code", "reader_no"),
    ("reading", "branch_code", "reader_no"),
    ("remark", "branch_code", "reader_no"),
    ("receipt", "branch_code", "reader_no"),
)


def score_smallpress(truth_dsn: str, dsn: str, as_of: datetime) -> dict[str, int]:
    """The same comparison for the small press, whose people have a branch and a number."""
    planted = expected(truth_dsn, as_of, publisher="smallpress")
    with connect(truth_dsn) as truth:
        before = _number(truth, "SELECT sum(people) FROM truth.load WHERE publisher = 'smallpress'")
    with connect(dsn) as press:
        present = {k for (k,) in press.execute("SELECT branch_code || '/' || reader_no::text FROM reader").fetchall()}
        erase = [key for key, p in planted.items() if p.outcome == "must_erase"]
        emails = [planted[key].email for key in erase]
        left = sum(
            _number(press, f"SELECT count(*) FROM {t} WHERE {a} || '/' || {b}::text = ANY(%s)", erase)  # noqa: S608
            for t, a, b in SMALLPRESS_TABLES
        ) + _number(press, "SELECT count(*) FROM newsletter WHERE lower(mail) = ANY(%s)", emails)
    gone = set(planted) - present
    return {
        "planted_confirmed": len(erase),
        "erased": len(gone.intersection(erase)),
        "missed": len(set(erase) - gone),
        "wrongly_erased": len(gone.difference(erase)) + before - len(present) - len(gone),
        "residual_rows": left,
    }
