"""Rows taken out of CSV and JSON lines: whose they are, and that every other byte stays."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops import pseudonyms
from privacy_ops.datamap.model import SharedRows
from privacy_ops.erasure.objects.rewrite import lines
from privacy_ops.erasure.objects.rewrite.identify import Known, canonical
from privacy_ops.erasure.objects.rewrite.lines import Read, Unreadable

CHILD = "0f0e0d0c-0000-4000-8000-000000000001"
OTHER = "0f0e0d0c-0000-4000-8000-000000000002"
KNOWN = Known([("subject", (CHILD,), "case"), ("email", ("kim@example.org",), "case")])
LIMITS = settings(max_examples=60, deadline=None)


def spec(*, kind: str = "subject", field: str = "user_id", **changes: Any) -> SharedRows:
    return SharedRows.model_validate({"format": "csv", "keys": [{"fields": [field], "kind": kind}], **changes})


def stripped(data: bytes, how: SharedRows, known: Known = KNOWN) -> tuple[bytes, Read]:
    out = io.BytesIO()
    read = lines.strip(io.BytesIO(data), out, how, known)
    return out.getvalue(), read


def refused(data: bytes, how: SharedRows) -> Unreadable:
    with pytest.raises(Unreadable) as raised:
        lines.count(io.BytesIO(data), how, KNOWN)
    return raised.value


@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (f"user_id,x\n{CHILD},1\n{OTHER},2\n", f"user_id,x\n{OTHER},2\n"),
        (f"user_id,x\r\n{OTHER},2\r\n{CHILD},1\r\n", f"user_id,x\r\n{OTHER},2\r\n"),
        (f"user_id,x\n{OTHER},2\n{CHILD},1", f"user_id,x\n{OTHER},2\n"),
        (f'x,user_id\n"two\nlines, and ""quotes""",{OTHER}\n"two\nlines",{CHILD}\n', None),
        (f'"user_id","x"\n"{CHILD.upper()}","1"\n"{OTHER}","2"\n', f'"user_id","x"\n"{OTHER}","2"\n'),
        (f"\ufeffuser_id,x\n{CHILD},1\n", "\ufeffuser_id,x\n"),
        (f"user_id,x\n {CHILD.replace('-', '')} ,1\n,2\n\n", "user_id,x\n,2\n\n"),
        (f'user_id,x\n{OTHER},5" pipe\n{CHILD},6" pipe\n', f'user_id,x\n{OTHER},5" pipe\n'),
        ("", ""),
        ("user_id,x\n", "user_id,x\n"),
    ],
    ids=[
        "plain", "carriage returns", "last line without an end", "quoted line ends", "quoted upper case",
        "byte order mark", "spaces and blank lines", "quote inside a field", "empty", "header alone",
    ],
)  # fmt: skip
def test_a_persons_rows_go_and_nothing_else_changes(data: str, rest: str | None) -> None:
    if rest is None:
        rest = f'x,user_id\n"two\nlines, and ""quotes""",{OTHER}\n'
    assert stripped(data.encode(), spec())[0] == rest.encode()


def test_an_address_is_compared_as_mail_is_delivered() -> None:
    data = b"id;email\n1; KIM@Example.org\n2;kim@example.org.example.org\n3;\n"
    rest, read = stripped(data, spec(kind="email", field="email", delimiter=";"))
    assert rest == b"id;email\n2;kim@example.org.example.org\n3;\n"
    assert (read.rows, read.hits) == (3, 1)


def test_without_a_header_columns_have_numbers() -> None:
    data = f"1,{CHILD}\n2,{OTHER}\n".encode()
    assert stripped(data, spec(field="2", header=False))[0] == f"2,{OTHER}\n".encode()


def test_latin_1_stays_latin_1() -> None:
    data = f"user_id,name\n{OTHER},Zoé\n{CHILD},Ana\n".encode("latin-1")
    assert stripped(data, spec(encoding="latin-1"))[0] == f"user_id,name\n{OTHER},Zoé\n".encode("latin-1")


def test_gzip_stays_gzip_in_every_member() -> None:
    data = gzip.compress(f"user_id\n{CHILD}\n".encode(), mtime=0) + gzip.compress(f"{OTHER}\n{CHILD}\n".encode())
    rest, read = stripped(data, spec(compression="gzip"))
    assert gzip.decompress(rest) == f"user_id\n{OTHER}\n".encode()
    assert (read.rows, read.hits) == (3, 2)


@pytest.mark.parametrize(
    ("data", "changes", "code"),
    [
        (f"{CHILD},1\n".encode(), {}, "NO_COLUMN"),
        (b"userid,x\n1,2\n", {}, "NO_COLUMN"),
        (b"user_id,user_id\n1,2\n", {}, "NO_COLUMN"),
        (b'user_id,x\n1,"never closed\n2,3\n', {}, "OPEN_QUOTE"),
        (b"x,user_id\n1\n", {}, "FEW_FIELDS"),
        (b"user_id,x\r1,2\r", {}, "LONE_CR"),
        ("user_id,x\n".encode("utf-16"), {}, "UTF_16"),
        (b"user_id,x\n\xff,2\n", {}, "ENCODING"),
        (gzip.compress(b"user_id\n1\n", mtime=0), {}, "IS_GZIP"),
        (b"user_id\n1\n", {"compression": "gzip"}, "NOT_GZIP"),
        (gzip.compress(b"user_id\n" + b"1\n" * 5000, mtime=0)[:-12], {"compression": "gzip"}, "BROKEN_GZIP"),
        (b'{"user_id": 1}\nnot json\n', {"format": "jsonl"}, "BROKEN_LINE"),
        (b'{"uid": 1}\n', {"format": "jsonl"}, "NO_FIELD"),
        (json.dumps({"user_id": [CHILD, OTHER]}).encode(), {"format": "jsonl"}, "SEVERAL_PEOPLE"),
    ],
)
def test_what_is_not_as_the_map_says_is_refused_without_a_word_of_it(
    data: bytes, changes: dict[str, Any], code: str
) -> None:
    error = refused(data, spec(**changes))
    assert error.code == code
    assert CHILD not in error.what


def test_a_line_that_never_ends_is_refused_before_it_fills_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_RECORD", 2**20)
    assert refused(b"user_id\n" + b"x" * 2**20, spec()).code == "TOO_LONG"


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("user_id", {"user_id": CHILD}),
        ("user.id", {"user": {"id": CHILD}, "n": 1.50}),
        ("events.user", {"events": [{"user": CHILD}, {"user": CHILD}]}),
        ("who", {"who": [CHILD]}),
    ],
)
def test_json_lines_name_people_at_any_depth(path: str, entry: dict[str, Any]) -> None:
    others = '{ "user_id":null, "user" : {"id":null},"events":[{"user":null}],"who":[], "n": 1.50e0 }\n'
    data = (json.dumps(entry) + "\n" + others + "\n").encode()
    assert stripped(data, spec(format="jsonl", field=path))[0] == (others + "\n").encode()


def test_a_subject_of_several_columns_needs_all_of_them() -> None:
    how = SharedRows.model_validate({"format": "csv", "keys": [{"fields": ["site", "no"], "kind": "subject"}]})
    known = Known([("subject", ("uk", "7"), "case")])
    assert stripped(b"no,site\n7,uk\n7,fr\n,uk\n", how, known)[0] == b"no,site\n7,fr\n,uk\n"


def test_a_map_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="numbers from 1"):
        spec(header=False)
    with pytest.raises(ValueError, match="Parquet is compressed inside"):
        spec(format="parquet", compression="gzip")
    with pytest.raises(ValueError, match="one field"):
        SharedRows.model_validate({"format": "csv", "keys": [{"fields": ["a", "b"], "kind": "email"}]})


def test_canonical_spellings_meet() -> None:
    assert canonical("subject", f"{{{CHILD.upper()}}}") == canonical("subject", CHILD.replace("-", "")) == CHILD
    assert canonical("external:no", " 007 ") == "007"


@LIMITS
@given(st.text(st.characters(max_codepoint=127), max_size=12), st.text(st.sampled_from("aB.-xn@ "), max_size=12))
def test_the_short_way_to_a_plain_address_leads_to_the_same(local: str, domain: str) -> None:
    assert canonical("email", f"{local}@{domain}") == pseudonyms.normalise_email(f"{local}@{domain}")


cells = st.text(st.sampled_from('ab,"\n\r é;0'), max_size=6)


@LIMITS
@given(st.lists(st.tuples(st.booleans(), cells), max_size=12), st.sampled_from(["\n", "\r\n"]), st.integers(0, 3))
def test_any_table_keeps_the_bytes_of_everybody_else(rows: list[tuple[bool, str]], end: str, quoting: int) -> None:
    def written(chosen: list[tuple[bool, str]]) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL if quoting == 1 else csv.QUOTE_MINIMAL)
        writer.writerow(["note", "user_id"])
        writer.writerows([note, CHILD if child else OTHER] for child, note in chosen)
        return text.getvalue().encode()

    rest, read = stripped(written(rows), spec())
    assert rest == written([row for row in rows if not row[0]])
    assert (read.rows, read.hits) == (len(rows), sum(child for child, _ in rows))


@LIMITS
@given(st.lists(cells, min_size=1, max_size=5))
def test_fields_are_split_as_the_standard_library_splits_them(row: list[str]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(row)
    assert [f.decode() for f in lines.split_fields(text.getvalue().encode(), spec())] == row


@LIMITS
@given(st.text(st.sampled_from('a,"\n '), max_size=20))
def test_any_text_is_split_into_records_that_together_are_the_text(text: str) -> None:
    data = text.encode()
    try:
        records = [raw for _, raw in lines.csv_records(io.BufferedReader(io.BytesIO(data)), spec())]  # type: ignore[type-var]
    except Unreadable:  # a quote that is never closed
        return
    assert b"".join(records) == data
    parsed = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    mine = [[f.decode() for f in lines.split_fields(raw, spec())] for raw in records if raw.strip(b"\r\n")]
    assert mine == parsed
