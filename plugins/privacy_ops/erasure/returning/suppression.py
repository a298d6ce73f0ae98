"""What keeps an erased child from coming back with an import or a restore, and when it stops doing so.

Entries are keyed references, written before anything is deleted because the address is needed to make them. They
expire: somebody who has come of age may register. The end is rounded up to a quarter so that it gives no birthday.
What is blocked is old data, not a human being: a record made before the erasure never comes back, a new one of the
same person is let through after the end and looked at by people before it.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from sqlalchemy import Connection

from privacy_ops import pseudonyms
from privacy_ops.errors import UserError
from privacy_ops.settings import KeyRing
from privacy_ops.stores.sql import statement
from privacy_ops.thresholds import MailProvider, Thresholds
from privacy_ops.workspace import Workspace

PURPOSE = "suppression"
PROVIDER_EMAIL = "email_provider"
_BATCH = 1000


class Answer(StrEnum):
    """Whether a record may come in. REVIEW: people look before it does."""

    ACCEPT = "accept"
    REVIEW = "review"
    REJECT = "reject"


class Entry(NamedTuple):
    """One entry of the list, as far as an answer needs it."""

    erased_at: datetime
    valid_until: date


def end_of_quarter(day: date) -> date:
    """The last day of the calendar quarter that holds ``day``."""
    month = 3 * ((day.month - 1) // 3 + 1)
    first_after = date(day.year + month // 12, month % 12 + 1, 1)
    return first_after - timedelta(days=1)


def valid_until(adult_on: date | None, *, today: date, thresholds: Thresholds) -> date:
    """Until when an entry blocks.

    adult_on: the latest possible eighteenth birthday; None (unknown) counts from today. Never ends before the
    last backup that may hold the person's data is gone.
    """
    if adult_on is None:
        months = today.year * 12 + today.month - 1 + thresholds.suppression.unknown_birth_months
        adult_on = date(months // 12, months % 12 + 1, 1)
    return max(end_of_quarter(adult_on), today + timedelta(days=thresholds.backup_max_age_days))


def provider_email(address: str, providers: Sequence[MailProvider]) -> str | None:
    """The mailbox that a provider known to ignore dots or tags delivers to; None for every other provider."""
    local, _, domain = pseudonyms.normalise_email(address).rpartition("@")
    provider = next((p for p in providers if domain in p.domains), None)
    if provider is None:
        return None
    if provider.tag:
        local = local.partition(provider.tag)[0]
    local = "".join(c for c in local if c not in provider.ignores)
    return f"{local}@{provider.main}" if local else None


def canonical(id_type: str, text: str, providers: Sequence[MailProvider] = ()) -> tuple[tuple[str, str], ...]:
    """(id type, canonical text) of everything that one identifier is listed and looked up by. Empty for nothing."""
    if id_type != "email":
        return ((id_type, text.strip()),) if text.strip() else ()
    address = pseudonyms.normalise_email(text)
    if not address:
        return ()
    mailbox = provider_email(address, providers)
    return (("email", address), *(((PROVIDER_EMAIL, mailbox),) if mailbox else ()))


def references(keys: KeyRing, id_type: str, text: str, providers: Sequence[MailProvider] = ()) -> tuple[str, ...]:
    """Keyed references to look an identifier up by: each canonical form under every key still held.

    ``account``: the person's key, of one part. Other types are those of the list: ``email``, ``external:<column>``.
    """
    if id_type == "account" and text.strip():
        text = pseudonyms.subject_text([text.strip()])
    return tuple(
        reference.value
        for _, form in canonical(id_type, text, providers)
        for reference in pseudonyms.references_all_keys(keys, PURPOSE, form)
    )


def write(
    connection: Connection,
    keys: KeyRing,
    entries: Iterable[tuple[Any, str, str, date]],
    *,
    at: datetime,
    providers: Sequence[MailProvider] = (),
) -> int:
    """Insert entries (case id, id type, identifier, valid until); returns how many were written or were there."""
    batch: list[dict[str, Any]] = []
    count = 0
    for case_id, id_type, identifier, until in entries:
        for form, text in canonical(id_type, identifier, providers):
            reference = pseudonyms.reference(keys, PURPOSE, text)
            batch.append({
                "hmac": reference.value,
                "id_type": form,
                "key_id": reference.key_id,
                "valid_until": until,
                "case_id": case_id,
                "at": at,
            })
            count += 1
        if len(batch) >= _BATCH:
            connection.execute(statement("erasure", "insert_suppression"), batch)
            batch.clear()
    if batch:
        connection.execute(statement("erasure", "insert_suppression"), batch)
    return count


def decide(entries: Iterable[Entry], *, record_created_at: datetime | None, today: date) -> Answer:
    """The answer for a record that these entries match. The database's ``gov.check_import`` says the same.

    record_created_at: when the record was first made, wherever that was; None when nobody knows, which counts as
    old: a vendor's list is not somebody signing up.
    """
    found = list(entries)
    if not found:
        return Answer.ACCEPT
    blocks = any(today <= entry.valid_until for entry in found)
    if record_created_at is None:
        return Answer.REJECT if blocks else Answer.REVIEW
    if any(record_created_at < entry.erased_at for entry in found):
        return Answer.REJECT
    return Answer.REVIEW if blocks else Answer.ACCEPT


@dataclass(frozen=True)
class Import:
    """A CSV file to check. ``columns``: identifier type by column name; ``created``: column with the record's time.

    ``sign_up``: every record is somebody who signs up now. ``outputs``: where records go, by answer.
    """

    file: Path
    columns: Mapping[str, str]
    created: str | None = None
    sign_up: bool = False
    delimiter: str = ","
    outputs: Mapping[Answer, Path] | None = None


def check_file(workspace: Workspace, given: Import, *, now: datetime) -> dict[str, int]:
    """Answer for every record of a file, streamed; returns counts by answer, and never says who.

    A record is judged by all its identifiers together. Raises UserError for a file that cannot be read as said,
    or an output that is there already.
    """
    counts = dict.fromkeys(map(str, Answer), 0)
    with ExitStack() as stack:
        source = stack.enter_context(_opened(given.file))
        reader = csv.DictReader(source, delimiter=given.delimiter, strict=True)
        names = list(reader.fieldnames or ())
        missing = sorted({*given.columns, *((given.created,) if given.created else ())} - set(names))
        if missing or not given.columns:
            raise UserError(
                f"the file has no column {', '.join(missing) or '(none named)'}",
                where=str(given.file),
                do="name columns of its first line",
            )
        writers: dict[Answer, csv.DictWriter[str]] = {}
        for answer, path in (given.outputs or {}).items():
            target = stack.enter_context(_created(path))
            writers[answer] = csv.DictWriter(target, names, delimiter=given.delimiter, lineterminator="\n")
            writers[answer].writeheader()
        connection = stack.enter_context(workspace.database("detect").transaction(read_only=True))
        for answer, record in _answers(connection, workspace, given, _records(reader, given.file), now):
            counts[answer] += 1
            if answer in writers:
                writers[answer].writerow(record)
    return counts


def _answers(
    connection: Connection,
    workspace: Workspace,
    given: Import,
    records: Iterator[tuple[int, dict[str, str]]],
    now: datetime,
) -> Iterator[tuple[Answer, dict[str, str]]]:
    keys, providers = workspace.settings.keys, workspace.thresholds.suppression.providers
    if not keys.hmac.get(PURPOSE):
        keys.current_key(PURPOSE)  # says what is missing
    while batch := list(islice(records, _BATCH)):
        asked = [
            {ref for column, kind in given.columns.items() for ref in references(keys, kind, record[column], providers)}
            for _, record in batch
        ]
        known: dict[str, list[Entry]] = {}
        for row in connection.execute(
            statement("erasure", "select_suppressed"), {"hmacs": sorted(set().union(*asked))}
        ):
            known.setdefault(row.hmac, []).append(Entry(row.created_at, row.valid_until))
        for (line, record), refs in zip(batch, asked, strict=True):
            yield (
                decide(
                    (entry for ref in refs for entry in known.get(ref, ())),
                    record_created_at=now if given.sign_up else _moment(record, given, line),
                    today=now.date(),
                ),
                record,
            )


def _records(reader: csv.DictReader[str], file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        for record in reader:
            if None in record or None in record.values():
                raise UserError(
                    "a line has not as many fields as the first",
                    where=f"{file}, line {reader.line_num}",
                    do="mend the file, or name its delimiter",
                )
            yield reader.line_num, record
    except (csv.Error, UnicodeDecodeError):
        raise UserError(
            "the file cannot be read on from here",
            where=f"{file}, line {reader.line_num + 1}",
            do="save it as UTF-8 CSV",
        ) from None


def _moment(record: Mapping[str, str], given: Import, line: int) -> datetime | None:
    if given.created is None or not record[given.created].strip():
        return None
    try:
        found = datetime.fromisoformat(record[given.created].strip())
    except ValueError:
        raise UserError(
            f"column {given.created} holds no ISO time",
            where=f"{given.file}, line {line}",
            do="write 2026-11-22T09:00:00Z",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UserError(f"the file cannot be read ({error.strerror})", where=str(path)) from None


def _created(path: Path) -> TextIO:
    """A new file that only its owner may read: it holds people."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
    except FileExistsError:
        raise UserError("the file is there already", where=str(path), do="name another, or remove it") from None
    except OSError as error:
        raise UserError(f"the file cannot be written ({error.strerror})", where=str(path)) from None
