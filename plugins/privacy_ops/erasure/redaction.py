# ruff: noqa: S608 - identifiers are quoted, values are bound
"""Takes a mention of a minor out of somebody else's text, and leaves the rest of the text as its author wrote it.

A proposal names case, table, column, row and the characters; it keeps a digest of the text and never a word of it. Two
people read the place and confirm, signed in to the console, or each under an account of their own on the machine where
the command runs. Where the text is a public record (``published`` in the map: the authors of an article), an editor
and a privacy lead are among them, and they may also decide that it stays: freedom of expression, the academic
exemption. The night then writes ahead, replaces the characters by ``MARKER`` if the text is the one that they read,
and looks again. What was done stands in the ledger and in the certificate of the case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection, Row, text

from privacy_ops import ledger
from privacy_ops.datamap import catalogue
from privacy_ops.datamap.model import DataMap
from privacy_ops.errors import UserError
from privacy_ops.settings import Settings
from privacy_ops.stores.database import Database, DatabaseFault, quote, quote_table
from privacy_ops.stores.sql import statement
from privacy_ops.workspace import Workspace

MARKER = "[redacted]"
PEOPLE = 2
_TEXTS = {"text", "character varying"}
Span = tuple[int, int]


@dataclass(frozen=True)
class Person:
    """Who answers. ``way``: how that is known, by signing in or by an account of the machine; ``name`` tells people of
    the same way apart. Raises UserError for nobody."""

    name: str
    way: Literal["login", "account"]

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UserError(
                "somebody answers for a redaction", where="redaction", do="sign in, or use your own account"
            )


def redacted(written: str, spans: Sequence[Span]) -> str:
    """``written`` with every span replaced by the marker. Raises UserError unless the spans are in order, apart, and
    inside the text. Pure."""
    if not spans:
        raise UserError("nothing is named to be taken out", where="redaction", do="name the characters, first:last")
    parts, end = [], 0
    for first, last in spans:
        if not end <= first < last <= len(written):
            raise UserError(
                f"the characters {first}:{last} are not in order or not inside the text of {len(written)}",
                where="redaction",
                do="count from 0; the last character named is the first that stays",
            )
        parts += [written[end:first], MARKER]
        end = last
    return "".join([*parts, written[end:]])


def spans_of(written: str, words: str) -> list[Span]:
    """Where ``words`` stand in a text, whatever their case; empty: nowhere. Pure."""
    found, low, wanted, at = [], written.lower(), words.strip().lower(), 0
    if len(low) != len(written) or not wanted:
        return []
    while (at := low.find(wanted, at)) >= 0:
        found.append((at, at + len(wanted)))
        at += len(wanted)
    return found


def propose(
    workspace: Workspace,
    *,
    case_id: UUID,
    table: str,
    column: str,
    key: tuple[str, ...],
    by: Person,
    now: datetime,
    spans: Sequence[Span] = (),
    words: str = "",
) -> UUID:
    """Write down what is to be taken out of one text; returns the proposal's id. Nothing is changed yet.

    The place: ``spans`` (half-open characters), or ``words`` wherever they stand. Raises UserError for a column where
    the map does not say that people write, an unknown case or row, or a place outside the text.
    """
    return propose_by(
        workspace.database("erase"),
        workspace.data_map,
        case_id=case_id,
        table=table,
        column=column,
        key=key,
        by=by,
        now=now,
        spans=spans,
        words=words,
    )


def propose_by(
    database: Database,
    data_map: DataMap,
    *,
    case_id: UUID,
    table: str,
    column: str,
    key: tuple[str, ...],
    by: Person,
    now: datetime,
    spans: Sequence[Span] = (),
    words: str = "",
) -> UUID:
    """The same as ``propose``, by the duty of ``database``."""
    _require_writable(data_map, table, column)
    with database.transaction() as connection:
        _require_text(connection, table, column)
        if not connection.execute(
            text("SELECT 1 FROM gov.minor_case WHERE case_id = :c"), {"c": case_id}
        ).scalar_one_or_none():
            raise UserError("there is no such case", where=f"case {case_id}", do="`redaction mentions` lists them")
        written = _read(connection, data_map, table, column, key)
        if written is None:
            raise UserError("there is no such row, or its text is empty", where=table, do="look at the row's key")
        places = list(spans) or spans_of(written, words)
        redacted(written, places)
        redaction_id = uuid4()
        connection.execute(
            statement("redaction", "insert_redaction"),
            {
                "redaction_id": redaction_id,
                "case_id": case_id,
                "table_name": table,
                "column_name": column,
                "row_key": list(key),
                "firsts": [first for first, _ in places],
                "lasts": [last for _, last in places],
                "text_sha256": digest(redaction_id, written),
                "by": by.name,
                "at": now,
            },
        )
    return redaction_id


def show(
    database: Database, data_map: DataMap, redaction_id: UUID, *, person: Person, now: datetime, around: int = 60
) -> list[str]:
    """What stands around each place, with the words that would go in brackets; that ``person`` looked is written down.

    For a person's eyes: never into a log. Raises UserError when the text is not the proposed one any more.
    """
    with database.transaction() as connection:
        one = _open(connection, redaction_id)
        written = _read(connection, data_map, one.table_name, one.column_name, one.row_key)
        if written is None or digest(redaction_id, written) != one.text_sha256:
            raise UserError("the text was changed since", where=f"redaction {redaction_id}", do="propose it anew")
        _answer(connection, redaction_id, person, "viewed", now)
    return [
        f"{written[max(first - around, 0) : first]}[[{written[first:last]}]]{written[last : last + around]}"
        for first, last in zip(one.firsts, one.lasts, strict=True)
    ]


def outcome(
    answers: Sequence[tuple[str, str, str]], *, published: bool, groups: Sequence[Collection[str]] = ()
) -> Literal["proposed", "confirmed", "rejected", "kept"]:
    """What answers, each (way, person, answer), come to. Pure.

    Enough are two people of one way of knowing who they are: of two ways they may be one. One no ends a proposal about
    an ordinary text. Of a public record two people decide either way, of whom each of ``groups`` that names anybody
    (editors, privacy leads) has one; while they disagree nothing is decided.
    """

    def said(answer: str) -> bool:
        return any(given == answer for *_, given in answers)

    def enough(answer: str) -> bool:
        for way in ("login", "account"):
            people = {person for how, person, given in answers if (how, given) == (way, answer)}
            has_all = all(people & set(group) for group in groups if group) if published else True
            if len(people) >= PEOPLE and has_all:
                return True
        return False

    if said("rejected"):
        if not published:
            return "rejected"
        return "kept" if enough("rejected") and not said("confirmed") else "proposed"
    return "confirmed" if enough("confirmed") else "proposed"


def _outcome(
    connection: Connection, data_map: DataMap, settings: Settings, redaction_id: UUID, table: str
) -> Literal["proposed", "confirmed", "rejected", "kept"]:
    rows = connection.execute(statement("redaction", "select_answers"), {"redaction_id": redaction_id})
    entry = data_map.tables.get(table)
    return outcome(
        [(one.way, one.person, one.answer) for one in rows],
        published=entry is not None and entry.published,
        groups=(settings.editors, settings.privacy_leads),
    )


def answer(
    database: Database,
    data_map: DataMap,
    settings: Settings,
    redaction_id: UUID,
    *,
    person: Person,
    confirm: bool,
    now: datetime,
) -> str:
    """A person's answer; returns the state of the proposal.

    Once reviewers or leads are named, nobody else answers. Raises UserError for them, for somebody who did not look at
    the place, and for a proposal that is not open.
    """
    named = {*settings.reviewers, *settings.privacy_leads}
    if named and person.name not in named:
        raise UserError(
            "only reviewers answer, and who asks is none",
            where="PRIVACY_OPS_REVIEWERS",
            do="let a reviewer answer in the console, under Erasures",
        )
    with database.transaction() as connection:
        one = _open(connection, redaction_id)
        this = {"redaction_id": redaction_id}
        said = connection.execute(statement("redaction", "select_answers"), this)
        if (person.way, person.name, "viewed") not in {(a.way, a.person, a.answer) for a in said}:
            raise UserError(
                "nobody answers about what they have not looked at",
                where=f"redaction {redaction_id}",
                do="look at it first: `redaction show`, or its page in the console",
            )
        _answer(connection, redaction_id, person, "confirmed" if confirm else "rejected", now)
        state = _outcome(connection, data_map, settings, redaction_id, one.table_name)
        connection.execute(statement("redaction", "update_answered"), this | {"state": state})
    return state


def carry_out(workspace: Workspace, *, now: datetime) -> dict[str, int]:
    """Carry out what two people confirmed, write-ahead first; returns how many texts were changed and how many not,
    because they or their rows are not what was confirmed. Every night; killed and called again it goes on.

    One that the database refuses (a right that was not granted) holds up no erasure: it stays, is counted as failed,
    and the gate after the erasure warns of it. Raises StoreRefused, StoreUnavailable for the copy of the ledger.
    """
    database = workspace.database("erase")
    with database.transaction() as connection:
        _settle_kept(connection, now)
        # The answers are counted once more: a state that nobody's answers stand behind carries nothing out.
        proven = [
            one.redaction_id
            for one in connection.execute(statement("redaction", "select_in_state"), {"state": "confirmed"}).all()
            if _outcome(connection, workspace.data_map, workspace.settings, one.redaction_id, one.table_name)
            == "confirmed"
        ]
        fresh = connection.execute(statement("redaction", "update_intended"), {"at": now, "proven": proven}).all()
        ledger.append_many(
            connection,
            "redaction_intent",
            (
                (
                    {
                        "redaction": str(one.redaction_id),
                        "asset": f"{one.table_name}.{one.column_name}",
                        "firsts": one.firsts,
                        "lasts": one.lasts,
                        "text_sha256": one.text_sha256,
                    },
                    one.case_id,
                )
                for one in fresh
            ),
            at=now,
        )
    with database.transaction(read_only=True) as connection:
        todo = connection.execute(statement("redaction", "select_in_state"), {"state": "intended"}).all()
    if todo:
        ledger.copy_out(workspace, now)
    counts = {"redacted": 0, "refused": 0, "failed": 0}
    for one in todo:
        try:
            with database.transaction() as connection:
                done = _carry_out(connection, workspace, one, now)
        except (UserError, DatabaseFault):
            counts["failed"] += 1
        else:
            counts["redacted" if done else "refused"] += 1
    _verify(workspace, now)
    return counts


def _carry_out(connection: Connection, workspace: Workspace, one: Row[Any], now: datetime) -> bool:
    """Change one text, or refuse; both are final."""
    written = _read(connection, workspace.data_map, one.table_name, one.column_name, one.row_key, lock=True)
    said: dict[str, object] = {"redaction": str(one.redaction_id), "asset": f"{one.table_name}.{one.column_name}"}
    reason = "ROW_GONE" if written is None else ""
    if written is not None and digest(one.redaction_id, written) != one.text_sha256:
        reason = "TEXT_CHANGED"
    these = {"redaction_id": one.redaction_id, "at": now, "reason": reason}
    if reason or written is None:
        connection.execute(statement("redaction", "update_refused"), these)
        ledger.append(connection, "redaction_refused", said | {"reason": reason}, at=now, case_id=one.case_id)
        return False
    after = redacted(written, list(zip(one.firsts, one.lasts, strict=True)))
    _write(connection, workspace.data_map, one, after)
    left = digest(one.redaction_id, after)
    connection.execute(
        statement("redaction", "update_redacted"),
        {"redaction_id": one.redaction_id, "at": now, "result_sha256": left},
    )
    connection.execute(
        statement("redaction", "settle_findings"),
        {"case_id": one.case_id, "asset": one.table_name, "row_key": one.row_key, "at": now},
    )
    ledger.append(connection, "redacted", said | {"result_sha256": left}, at=now, case_id=one.case_id)
    return True


def _settle_kept(connection: Connection, now: datetime) -> None:
    """What people decided to leave in a public record is settled, and the ledger says so."""
    for one in connection.execute(statement("redaction", "select_in_state"), {"state": "kept"}).all():
        these = {"redaction_id": one.redaction_id, "at": now}
        if connection.execute(statement("redaction", "update_kept"), these).rowcount:
            connection.execute(
                statement("redaction", "settle_findings"),
                {"case_id": one.case_id, "asset": one.table_name, "row_key": one.row_key, "at": now},
            )
            said = {"redaction": str(one.redaction_id), "asset": f"{one.table_name}.{one.column_name}"}
            ledger.append(connection, "published_kept", said, at=now, case_id=one.case_id)


def _verify(workspace: Workspace, now: datetime) -> None:
    """Look again, in another transaction; a text that is as it was left is proven, and its row's key forgotten."""
    with workspace.database("erase").transaction() as connection:
        for one in connection.execute(statement("redaction", "select_in_state"), {"state": "redacted"}).all():
            stands = _read(connection, workspace.data_map, one.table_name, one.column_name, one.row_key)
            if stands is None or digest(one.redaction_id, stands) == one.result_sha256:
                connection.execute(
                    statement("redaction", "update_verified"), {"redaction_id": one.redaction_id, "at": now}
                )


# ---- the text


def _read(
    connection: Connection, data_map: DataMap, table: str, column: str, key: Sequence[str], *, lock: bool = False
) -> str | None:
    sql = f"SELECT t.{quote(column)} FROM {quote_table(table)} AS t WHERE {_matches(data_map, table)}"
    values = {f"k{i}": part for i, part in enumerate(key)}
    if len(key) != len(_key(data_map, table)):
        raise UserError("the key of a row has another number of parts", where=table, do="give --row once per part")
    found: str | None = connection.execute(
        text(sql + (" FOR UPDATE OF t" if lock else "")), values
    ).scalar_one_or_none()
    return found or None


def _write(connection: Connection, data_map: DataMap, one: Row[Any], after: str) -> None:
    sql = (
        f"UPDATE {quote_table(one.table_name)} AS t SET {quote(one.column_name)} = :after"
        f" WHERE {_matches(data_map, one.table_name)}"
    )
    values = {f"k{i}": part for i, part in enumerate(one.row_key)}
    changed = connection.execute(text(sql), values | {"after": after}).rowcount
    if changed != 1:
        raise UserError(f"{changed} rows have this key", where=one.table_name, do="mend the key in the data map")


def _matches(data_map: DataMap, table: str) -> str:
    return " AND ".join(f"CAST(t.{quote(c)} AS text) = :k{i}" for i, c in enumerate(_key(data_map, table)))


def _key(data_map: DataMap, table: str) -> tuple[str, ...]:
    return tuple(data_map.subject.key if table == data_map.subject.table else data_map.tables[table].key)


def digest(redaction_id: UUID, written: str) -> str:
    """Salted by the proposal: equal texts do not show, and a short one cannot be looked up."""
    return hashlib.sha256(f"{redaction_id}\n{written}".encode()).hexdigest()


def _require_writable(data_map: DataMap, table: str, column: str) -> None:
    entry = data_map.tables.get(table)
    if entry is None or column not in entry.redactable():
        raise UserError(
            "the map does not say that people write here",
            where=f"{table}.{column}",
            do="give the column `evidence: {signal: SIG-12, kind: free_text}` and apply the grants",
        )


def _require_text(connection: Connection, table: str, column: str) -> None:
    live = catalogue.read(connection).tables.get(table)
    kind = live.columns[column].type if live is not None and column in live.columns else ""
    if kind.split("(")[0] not in _TEXTS:
        raise UserError("characters are taken out of text columns alone", where=f"{table}.{column}", do="mend by hand")


# ---- people


def _answer(connection: Connection, redaction_id: UUID, person: Person, said: str, now: datetime) -> None:
    connection.execute(
        statement("redaction", "insert_answer"),
        {"redaction_id": redaction_id, "way": person.way, "person": person.name, "answer": said, "at": now},
    )


def _open(connection: Connection, redaction_id: UUID) -> Row[Any]:
    one = connection.execute(statement("redaction", "lock_redaction"), {"redaction_id": redaction_id}).one_or_none()
    if one is None or one.state != "proposed":
        raise UserError(
            "this proposal is not open", where=f"redaction {redaction_id}", do="`redaction list` shows them"
        )
    return one


def standing(database: Database) -> Iterator[Row[Any]]:
    """Proposals that are not ended, oldest first: what is asked, and how many have confirmed."""
    with database.transaction(read_only=True) as connection:
        yield from connection.execute(statement("redaction", "select_standing")).all()


def mentions(database: Database) -> Iterator[Row[Any]]:
    """Rows of others in which a sweep found an identifier of an erased person: finding_id, case_id, asset, row_key,
    found_at."""
    with database.transaction(read_only=True) as connection:
        yield from connection.execute(statement("redaction", "select_mentions")).all()


def mention(database: Database, finding_id: int) -> Row[Any] | None:
    """One of them: case_id, asset, row_key; None when it is settled, or there is none."""
    with database.transaction(read_only=True) as connection:
        return connection.execute(statement("redaction", "select_mention"), {"finding_id": finding_id}).one_or_none()
