"""Files that hold rows of many people: CSV of a survey, JSON lines (gzip) of app events, a Parquet extract."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator

from sandbox.publisher.objects import Put
from sandbox.publisher.population import People

MANY = 40  # people in each file: all that are planted come first


def shared_objects(people: People) -> Iterator[tuple[Put, list[str]]]:
    """The files of one chunk, and whose rows they hold."""
    name = f"{people.label or 'n0x'}{people.first}"
    users = people.user_id[: max(MANY, people.planted)]
    emails = people.account["email_norm"][: len(users)]
    yield Put("imp-survey-attachments", f"exports/survey-{name}.csv", _csv(users, emails)), users
    yield Put("imp-mobile-events", f"batches/{name}.jsonl.gz", _lines(users)), users
    yield Put("imp-mobile-events", f"extracts/{name}.parquet", _parquet(users)), users


def _csv(users: list[str], emails: list[str]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("respondent", "email", "answer"))
    for number, (user, email) in enumerate(zip(users, emails, strict=True)):
        writer.writerow((user, email, ("fine", "long, but good", 'a "must"')[number % 3]))
    return out.getvalue().encode()


def _lines(users: list[str]) -> bytes:
    rows = (json.dumps({"account": {"id": user}, "event": "open", "n": n}) for n, user in enumerate(users))
    return gzip.compress(("\n".join(rows) + "\n").encode(), mtime=0)


def _parquet(users: list[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    out = io.BytesIO()
    table = pa.table({"user_id": users, "minutes": [n % 60 for n in range(len(users))]})
    pyarrow.parquet.write_table(table, out, row_group_size=16)
    return out.getvalue()
