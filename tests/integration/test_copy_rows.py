"""COPY keeps what it is given, arrays of awkward texts too."""

from __future__ import annotations

from privacy_ops.stores.database import Database, copy_rows
from sqlalchemy import text


def test_arrays_of_awkward_texts_arrive_as_they_are(empty_database: str) -> None:
    awkward = ["", " ", "NULL", "a,b", "{c}", 'say "d"', "back\\slash", "\\", '"', "tab\tand\nline", "ü", "\\N"]
    with Database(empty_database).transaction() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE t (n integer, items text[], word text)"))
        rows = [(1, awkward, "\\N"), (2, [], None), *((n, [item], item) for n, item in enumerate(awkward, start=3))]
        assert copy_rows(connection, "t", ("n", "items", "word"), rows) == len(rows)
        stored = connection.execute(text("SELECT n, items, word FROM t ORDER BY n")).all()
    assert [tuple(row) for row in stored] == rows
