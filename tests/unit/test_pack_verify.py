"""What the gate sees in a pack: nothing in a good one, and each fault by its name in a bad one."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.errors import ReleaseRefused
from privacy_ops.usage.files import personal, sums
from privacy_ops.usage.files.build import build
from privacy_ops.usage.files.data_package import write as write_data_package
from privacy_ops.usage.files.model import Table
from privacy_ops.usage.files.page import Page
from privacy_ops.usage.files.read import Unreadable, csv_table, parquet_table
from privacy_ops.usage.files.text import one_line
from privacy_ops.usage.files.verify import Expected, Findings, differences_from, expected_of, inspect, verify

from tests.pack_contents import BANDS, content, row, signer, spec, week_row, withheld, year

SIGNER = signer()
NAME = "usage_by_course_week"
CSV, PARQUET = f"{NAME}.csv", f"{NAME}.parquet"
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def good() -> Files:
    return build(content(), SIGNER)


@pytest.fixture(scope="module")
def expected() -> Expected:
    return expected_of(content(), (SIGNER.public_key,))


def resealed(files: Files) -> Files:
    """Hashes and signature made anew, as by somebody who has the key and means to deceive the gate."""
    files = {name: body for name, body in files.items() if name not in {sums.SUMS, sums.SIGNATURE}}
    if {CSV, PARQUET} <= set(files) and files.get("datapackage.json") == _original["datapackage.json"]:
        files["datapackage.json"] = write_data_package(content(), files)
    files[sums.SUMS] = sums.write(files)
    files[sums.SIGNATURE] = sums.sign(files[sums.SUMS], SIGNER)
    return files


_original = build(content(), SIGNER)


def changed(good: Files, name: str, old: bytes, new: bytes) -> Files:
    assert old in good[name]
    return resealed({**good, name: good[name].replace(old, new, 1)})


def both(good: Files, old: str, new: str) -> Files:
    """CSV and Parquet changed alike: the formats agree, the values are wrong."""
    body = good[CSV].decode()
    assert old in body
    body = body.replace(old, new, 1)
    table = csv_table(body.encode(), ("n_starters", "n_completers"))
    schema = pq.read_schema(io.BytesIO(good[PARQUET]))
    columns = [list(column) for column in zip(*table.rows, strict=True)]
    return resealed({**good, CSV: body.encode(), PARQUET: parquet(columns, schema)})


def parquet(columns: list[list[Any]], schema: pa.Schema, **options: Any) -> bytes:
    out = io.BytesIO()
    settings = {"use_dictionary": False, "write_statistics": False, "store_schema": False, **options}
    arrays = [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), out, **settings)
    return out.getvalue()


def counts(files: Files, expected: Expected) -> dict[str, int]:
    """Findings that are not zero."""
    return {name: value for name, value in inspect(files, expected).counts().items() if value}


def test_a_good_pack_has_no_finding_and_its_rows_come_back(good, expected):
    assert inspect(good, expected) == Findings()
    assert verify(good, expected)[NAME].rows == (
        ("2026-W47", "c1", "Title of c1", 40, "published", 20, "published", "15 to 30", "published", "usage-2"),
        ("2026-W47", "c2", "Title of c2", None, "withheld", None, "withheld", None, "withheld", "usage-2"),
    )
    assert differences_from(content(), good) == 0


def test_a_whole_pack_has_no_finding():
    whole = year(courses=2, weeks=3)
    assert inspect(build(whole, SIGNER), expected_of(whole, (SIGNER.public_key,))) == Findings()


ANY_TEXT = st.text(st.characters(), max_size=25).filter(lambda title: not personal.kinds(one_line(title)))
CELL = st.tuples(
    st.none() | st.integers(2, 4000).map(lambda n: 5 * n),
    st.none() | st.integers(2, 4000).map(lambda n: 5 * n),
    st.none() | st.sampled_from(BANDS),
)


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(ANY_TEXT.filter(one_line), st.tuples(ANY_TEXT, CELL), max_size=5).filter(
        lambda rows: len({one_line(key) for key in rows}) == len(rows)
    ),
    ANY_TEXT,
)
def test_whatever_the_model_allows_passes_the_gate_and_says_what_was_given(cells, name):
    rows = [row(("2026-W47", key), *values, labels=(None, title)) for key, (title, values) in cells.items()]
    given_content = content(tables=(Table.of(spec(), rows),), recipient_name=name)
    files = build(given_content, SIGNER)
    found = inspect(files, expected_of(given_content, (SIGNER.public_key,)))
    assert found == Findings(), found.details
    assert differences_from(given_content, files) == 0


def test_resealing_a_good_pack_changes_nothing(good):
    """So what a test finds in a resealed pack is what the test altered."""
    assert resealed(good) == good


# --- the seal ---


@pytest.mark.parametrize("name", sorted(_original))
def test_one_changed_byte_of_any_file_is_seen(good, expected, name):
    body = bytearray(good[name])
    body[len(body) // 2] ^= 1
    found = counts({**good, name: bytes(body)}, expected)
    assert found.get("bad_hashes") or found.get("bad_signatures")


@pytest.mark.parametrize("name", sorted(_original))
def test_a_missing_file_is_seen(good, expected, name):
    assert counts({n: body for n, body in good.items() if n != name}, expected)["missing_files"] == 1


def test_a_file_that_no_pack_has_is_seen_listed_or_not(good, expected):
    assert counts({**good, "notes.txt": b"x"}, expected) == {"unlisted_files": 1}
    assert counts(resealed({**good, "notes.txt": b"x"}), expected) == {"unlisted_files": 1}


def test_a_hash_of_a_file_that_is_not_there_is_seen(good, expected):
    listed = good[sums.SUMS] + f"{'0' * 64}  zzz.csv\n".encode()
    files = {**good, sums.SUMS: listed, sums.SIGNATURE: sums.sign(listed, SIGNER)}
    assert counts(files, expected) == {"bad_hashes": 1}


def test_a_pack_that_another_key_has_signed_is_seen(good, expected):
    assert counts(build(content(), signer()), expected) == {"bad_signatures": 2}
    other = signer()
    swapped = resealed({**good, sums.SIGNERS: sums.allowed_signers(other.public_key)})
    assert counts(swapped, expected) == {"bad_signatures": 1}


def test_an_earlier_key_that_is_still_trusted_will_do(good, expected):
    assert inspect(good, replace(expected, public_keys=(signer().public_key, SIGNER.public_key))) == Findings()


# --- values ---


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (",40,", ",5,", {"small_counts": 1}),
        (",40,", ",0,", {"small_counts": 1}),
        (",40,", ",41,", {"unrounded_counts": 1}),
        (",40,", ",7,", {"small_counts": 1, "unrounded_counts": 1}),
        (",40,published,", ",40,withheld,", {"flag_violations": 1}),
        (",40,published,", ",,published,", {"flag_violations": 1}),
        (",40,published,", ",40,rounded,", {"flag_violations": 1, "unknown_values": 1}),
        (",15 to 30,", ",17.4,", {"unknown_values": 1}),
        (",usage-2", ",usage-1", {"unknown_values": 1}),
        ("Title of c1", "=1+1", {"formula_cells": 1}),
        ("Title of c1", "＝1+1", {"formula_cells": 1}),
        ("Title of c1", "lena@hospital.example.org", {"personal_values": 1}),
        ("Title of c1", "192.0.2.17", {"personal_values": 1}),
        ("Title of c1", "2001:db8::17", {"personal_values": 1}),
        ("Title of c1", "123e4567-e89b-12d3-a456-426614174000", {"personal_values": 1}),
        ("Title of c1", "call +44 20 7946 0958", {"personal_values": 1}),
        ("2026-W47,c2", "2026-W47,c1", {"misplaced_rows": 1}),
        ("2026-W47,c2", "2026-W47,c0", {"misplaced_rows": 1}),
    ],
)
def test_a_value_that_may_not_be_there_is_seen_in_both_files(good, expected, old, new, kind):
    assert counts(both(good, old, new), expected) == {name: 2 * times for name, times in kind.items()}


def test_findings_never_quote_a_value(good, expected):
    found = inspect(both(good, "Title of c1", "lena@hospital.example.org"), expected)
    assert found.total
    assert "lena" not in str(found)


def test_csv_and_parquet_that_differ_are_seen(good, expected):
    found = counts(changed(good, CSV, b",40,", b",45,"), expected)
    assert found == {"mismatching_values": 1}
    found = counts(
        changed(good, CSV, b"2026-W47,c2,Title of c2,,withheld,,withheld,,withheld,usage-2\n", b""), expected
    )
    assert found == {"mismatching_values": 10}


def test_a_cell_that_is_never_empty_and_is_empty_is_seen(good, expected):
    found = counts(changed(good, CSV, b",Title of c1,", b",,"), expected)
    assert found == {"unknown_values": 1, "mismatching_values": 1}


def test_rows_that_are_not_those_of_the_content_are_counted(good):
    assert differences_from(content(week_row("c1"), withheld("c2")), good) == 0
    assert differences_from(content(week_row("c1", "2026-W47", 45, 20, "15 to 30"), withheld("c2")), good) == 1
    assert differences_from(content(week_row("c1")), good) == 10


def test_a_column_that_is_not_in_the_dictionary_is_seen(good, expected):
    lines = [line + (b",lena@x.example.org" if n == 0 else b",=lena") for n, line in enumerate(good[CSV].splitlines())]
    found = inspect(resealed({**good, CSV: b"\n".join(lines) + b"\n"}), expected)
    assert (found.unknown_columns, found.formula_cells, found.mismatching_values) == (1, 2, 2)
    assert "lena" not in str(found)


def test_a_column_that_is_missing_is_seen(good, expected):
    lines = [line.rpartition(b",")[0] for line in good[CSV].splitlines()]
    assert counts(resealed({**good, CSV: b"\n".join(lines) + b"\n"}), expected)["missing_columns"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"\xef\xbb\xbfa\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\n1\n",
        b"a,a\n1,2\n",
        b'a\n"x\n',
        b"a\n1",
        b"n\n07\n",
        b"n\n1.0\n",
        b"n\n-5\n",
        b"n\n 5\n",
        "n\n５\n".encode(),
    ],
)
def test_a_csv_that_is_not_ours_is_unreadable(body):
    with pytest.raises(Unreadable):
        csv_table(body, ("n",))


def test_what_is_not_parquet_is_unreadable(good, expected):
    for body in (b"", b"PAR1", good[PARQUET][:-9]):
        with pytest.raises(Unreadable):
            parquet_table(body)
        assert counts(resealed({**good, PARQUET: body}), expected)["unreadable_files"] == 1


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"write_statistics": True}, "column statistics"),
        ({"use_dictionary": True}, "a dictionary page"),
        ({"store_schema": True}, "key-value metadata"),
        ({"write_statistics": True, "write_page_index": True}, "a page index"),
        ({"row_group_size": 1}, "several row groups"),
    ],
)
def test_what_parquet_says_beside_its_rows_is_seen(good, expected, options, what):
    schema = pq.read_schema(io.BytesIO(good[PARQUET]))
    columns = pq.read_table(io.BytesIO(good[PARQUET])).to_pydict().values()
    found = inspect(resealed({**good, PARQUET: parquet(list(columns), schema, **options)}), expected)
    assert {name for name, value in found.counts().items() if value} == {"hidden_data"}
    assert what in str(found.details)


def test_pandas_metadata_in_parquet_is_seen(good, expected):
    import pandas as pd

    frame = pq.read_table(io.BytesIO(good[PARQUET])).to_pandas()
    out = io.BytesIO()
    pd.DataFrame(frame).to_parquet(out)
    found = counts(resealed({**good, PARQUET: out.getvalue()}), expected)
    assert found["hidden_data"]
    assert found["metadata_violations"]  # a column of another type


# --- descriptions ---

Change = Callable[[Any], Any]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d.pop("resources"), id="no resources"),
        pytest.param(lambda d: d["resources"].pop(), id="a resource is missing"),
        pytest.param(lambda d: d["resources"].append(d["resources"][0]), id="a resource twice"),
        pytest.param(lambda d: d["resources"][0].update(path="/etc/passwd"), id="a path to elsewhere"),
        pytest.param(lambda d: d["resources"][0].update(bytes=1), id="bytes"),
        pytest.param(lambda d: d["resources"][1].update(hash="sha256:" + "0" * 64), id="hash"),
        pytest.param(lambda d: d["resources"][0]["schema"].update(missingValues=["NA"]), id="missing values"),
        pytest.param(lambda d: d["resources"][0]["schema"].update(primaryKey=["iso_week"]), id="primary key"),
        pytest.param(lambda d: d["resources"][0]["schema"]["fields"].pop(), id="a field is missing"),
        pytest.param(lambda d: d["resources"][0]["schema"]["fields"][3].update(type="number"), id="a type"),
        pytest.param(lambda d: d["resources"][0]["schema"]["fields"][3].update(type="whole"), id="no type at all"),
        pytest.param(lambda d: d.update({"$schema": "https://datapackage.org/profiles/1.0/datapackage.json"}), id="v1"),
    ],
)
def test_a_data_package_that_is_invalid_or_wrong_is_seen(good, expected, change):
    described = json.loads(good["datapackage.json"])
    change(described)
    assert counts(resealed({**good, "datapackage.json": json.dumps(described).encode()}), expected) == {
        "metadata_violations": 1
    }


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d.update({"@context": "http://example.org"}), id="context"),
        pytest.param(lambda d: d.pop("tables"), id="no tables"),
        pytest.param(lambda d: d["tables"][0].update(url="other.csv"), id="another file"),
        pytest.param(lambda d: d["tables"][0]["tableSchema"].update(primaryKey="iso_week"), id="primary key"),
        pytest.param(lambda d: d["tables"][0]["tableSchema"]["columns"][3].update(null="0"), id="null"),
        pytest.param(lambda d: d["tables"][0]["tableSchema"]["columns"][3].update(datatype={"base": "x"}), id="type"),
        pytest.param(lambda d: d["tables"][0]["tableSchema"]["columns"].pop(), id="a column is missing"),
    ],
)
def test_csvw_that_is_wrong_is_seen(good, expected, change):
    described = json.loads(good["csv-metadata.json"])
    change(described)
    assert counts(resealed({**good, "csv-metadata.json": json.dumps(described).encode()}), expected) == {
        "metadata_violations": 1
    }


@pytest.mark.parametrize("name", ["csv-metadata.json", "datapackage.json"])
def test_metadata_that_is_no_json_is_seen(good, expected, name):
    for body in (b"", b"[]", b"{", b"\xff"):
        assert counts(resealed({**good, name: body}), expected) == {"metadata_violations": 1}


@pytest.mark.parametrize("name", ["csv-metadata.json", "datapackage.json"])
def test_a_person_in_the_metadata_is_seen(good, expected, name):
    described = {**json.loads(good[name]), "made_by": {"who": ["lena@hospital.example.org"]}}
    assert counts(resealed({**good, name: json.dumps(described).encode()}), expected) == {"personal_values": 1}


def test_a_person_in_prose_is_seen_but_not_the_contact_that_readers_need(good, expected):
    for name in ("README.md", "DATA_DICTIONARY.md"):
        files = resealed({**good, name: good[name] + b"\nAsk lena@hospital.example.org, 020 7946 0958\n"})
        assert counts(files, expected) == {"personal_values": 2}
    assert counts(good, replace(expected, told=())) == {"personal_values": 2}  # README and report


def test_a_column_that_the_dictionary_does_not_explain_is_seen(good, expected):
    assert counts(changed(good, "DATA_DICTIONARY.md", b"| `n_starters` |", b"| `n_begun` |"), expected) == {
        "undocumented_columns": 1
    }


@pytest.mark.parametrize(
    "addition",
    [
        "<script>1</script>",
        '<img src="https://example.org/x.png">',
        '<a href="https://example.org">x</a>',
        '<link rel="stylesheet" href="x.css">',
        '<p onclick="x()">x</p>',
        '<p style="color:red">x</p>',
        '<form action="#"></form>',
        '<svg><path fill="url(https://example.org#x)"></path></svg>',
        "<style>@import 'x.css';</style>",
        "<style>p{background:url(x.png)}</style>",
        '<meta http-equiv="refresh" content="0">',
    ],
)
def test_a_report_that_loads_or_runs_something_is_seen(good, expected, addition):
    found = counts(changed(good, "report.html", b"</main>", addition.encode() + b"</main>"), expected)
    assert set(found) == {"active_content"}


def test_a_report_without_its_policy_is_seen(good, expected):
    assert counts(changed(good, "report.html", b"default-src 'none'", b"default-src *"), expected) == {
        "active_content": 1
    }
    assert Page("<p>x</p>").active == ["no policy that forbids loading"]


def test_a_person_in_the_report_is_seen(good, expected):
    for addition in (b"<p>lena@hospital.example.org</p>", b'<p aria-label="lena@hospital.example.org">x</p>'):
        found = counts(changed(good, "report.html", b"</main>", addition + b"</main>"), expected)
        assert found == {"personal_values": 1}


# --- refusal ---


def test_a_bad_pack_is_refused_with_what_is_wrong(good, expected):
    with pytest.raises(ReleaseRefused, match=r"small_count|n_starters") as refused:
        verify(both(good, ",40,", ",5,"), expected)
    assert "usage_by_course_week.csv: n_starters" in str(refused.value)


@pytest.mark.parametrize("files", [{}, {"x": b""}, dict.fromkeys(_original, b"")], ids=["none", "other", "empty"])
def test_nothing_in_a_file_makes_the_gate_fall_over(files, expected):
    assert inspect(files, expected).total
    with pytest.raises(ReleaseRefused):
        verify(files, expected)


# --- what looks personal ---


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-16 to 2026-11-22",
        "2026-11-16/2026-11-22",
        "2026-W47",
        "0-5, 5-15, 15-30, 240+",
        "ISBN 9780306406157",
        "usage-2.0a1b2c3d",
        "12:30:00",
        "ECG: 12-lead",
        "a" * 64,
        "sha256:" + "0123456789abcdef" * 4,
        "https://datapackage.org/profiles/2.0/datapackage.json",
        "Use @context and :: in a file",
        "version 1.2.3",
    ],
)
def test_ordinary_texts_look_like_nobody(text):
    assert personal.kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mail me: lena.k+x@mail.hospital.example.org.", "e-mail address"),
        ("lena＠hospital.example.org", "e-mail address"),
        ("from 192.0.2.17.", "network address"),
        ("::ffff:192.0.2.1", "network address"),
        ("fe80::1ff:fe23:4567:890a", "network address"),
        ("123E4567-E89B-12D3-A456-426614174000", "UUID"),
        ("id 123e4567e89b12d3a456426614174000", "UUID"),
        ("+44 20 7946 0958", "telephone number"),
        ("0044 20 7946 0958", "telephone number"),
        ("(020) 7946 0958", "telephone number"),
        ("01632 960 983", "telephone number"),
    ],
)
def test_what_looks_personal_is_found(text, kind):
    assert personal.kinds(text) == [kind]
