"""The files of a pack: the same bytes every time, valid metadata, equal values for whoever opens them."""

from __future__ import annotations

import ast
import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from privacy_ops.usage import files as package
from privacy_ops.usage.files import csv_file, parquet_file, sums
from privacy_ops.usage.files.build import build
from privacy_ops.usage.files.columns import columns, written
from privacy_ops.usage.files.model import PackContent, Row, Table
from privacy_ops.usage.files.read import csv_table, parquet_secrets, parquet_table
from privacy_ops.usage.files.text import one_line, plain
from privacy_ops.usage.files.verify import expected_of, verify

from tests.pack_contents import MEASURES, content, signer, spec, week_row, withheld, year

SIGNER = signer()
TITLE = 'HIV, "the basics"\n=1+1 ünïcode 漢字'


@pytest.fixture(scope="module")
def whole() -> PackContent:
    """Two tables, a history, a correction."""
    return year(courses=2, weeks=4)


@pytest.fixture(scope="module")
def pack(whole: PackContent) -> dict[str, bytes]:
    return build(whole, SIGNER)


@pytest.fixture
def folder(pack: dict[str, bytes], tmp_path: Path) -> Path:
    for name, body in pack.items():
        (tmp_path / name).write_bytes(body)
    return tmp_path


def test_a_pack_has_the_files_of_the_specification_and_no_other(pack):
    assert list(pack) == [
        "DATA_DICTIONARY.md",
        "README.md",
        "SHA256SUMS",
        "SHA256SUMS.sig",
        "allowed_signers",
        "csv-metadata.json",
        "datapackage.json",
        "report.html",
        "usage_by_course_week.csv",
        "usage_by_course_week.parquet",
        "usage_by_region_quarter.csv",
        "usage_by_region_quarter.parquet",
    ]


def test_withheld_is_an_empty_cell_with_a_flag_and_the_csv_is_as_it_always_is():
    body = build(content(week_row("c1", title=TITLE), withheld("c2")), SIGNER)["usage_by_course_week.csv"]
    assert body.decode().splitlines() == [
        "iso_week,course_id,course_title,n_starters,n_starters_flag,n_completers,n_completers_flag,"
        "mean_minutes_band,mean_minutes_band_flag,method_version",
        '2026-W47,c1,"HIV, ""the basics"" =1+1 ünïcode 漢字",40,published,20,published,15 to 30,published,usage-2',
        "2026-W47,c2,Title of c2,,withheld,,withheld,,withheld,usage-2",
    ]
    assert b"\r" not in body
    assert body.endswith(b"\n")


def test_the_order_of_courses_in_a_file_follows_what_is_shown():
    rows = [week_row("a"), week_row("=b"), week_row("'c")]
    body = build(content(*rows), SIGNER)["usage_by_course_week.csv"]
    assert [row[1] for row in csv_table(body).rows] == ["'=b", "'c", "a"]


def test_the_same_content_gives_the_same_bytes_in_another_process_time_zone_and_hash_seed(whole, pack):
    program = (
        "import hashlib, json, sys\n"
        "from privacy_ops.usage.files.build import build\n"
        "from privacy_ops.usage.files.sums import KeySigner\n"
        "from tests.pack_contents import year\n"
        "files = build(year(courses=2, weeks=4), KeySigner(sys.stdin.buffer.read()))\n"
        "print(json.dumps({name: hashlib.sha256(body).hexdigest() for name, body in files.items()}))\n"
    )
    project = Path(__file__).resolve().parents[2]
    found = []
    for seed, zone in (("1", "Pacific/Kiritimati"), ("4711", "America/St_Johns")):
        settings_of_machine = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C", "LANG": "tr_TR.UTF-8"}
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=SIGNER.private_pem,
            capture_output=True,
            check=True,
            cwd=project,
            env={**os.environ, **settings_of_machine, "PYTHONPATH": f"{project / 'plugins'}{os.pathsep}{project}"},
        )
        found.append(json.loads(done.stdout))
    here = {name: hashlib.sha256(body).hexdigest() for name, body in pack.items()}
    assert found == [here, here]


def test_two_contents_that_are_equal_give_equal_bytes_and_a_changed_value_changes_them():
    one, same = content(week_row("c1"), withheld("c2")), content(week_row("c1"), withheld("c2"))
    other = content(week_row("c1", "2026-W47", 45, 20, "15 to 30"), withheld("c2"))
    assert one is not same
    assert build(one, SIGNER) == build(same, SIGNER)
    changed = {name for name, body in build(other, SIGNER).items() if body != build(one, SIGNER)[name]}
    assert changed == {
        "SHA256SUMS",
        "SHA256SUMS.sig",
        "datapackage.json",
        "report.html",
        "usage_by_course_week.csv",
        "usage_by_course_week.parquet",
    }


def test_the_package_can_reach_nothing_but_the_content():
    """No store, no true count, no clock, no chance: whatever is in a file came in through PackContent or the key."""
    # svg draws what it is told, templates reads the templates beside the code, periods is the calendar.
    pure = {"privacy_ops": {"signing", "svg", "templates"}, "privacy_ops.usage": {"periods"}}
    allowed = {
        "privacy_ops.usage.files",
        "privacy_ops.errors",
        "privacy_ops.signing",
        "privacy_ops.usage.periods",
        *pure,
    }
    forbidden = {"time", "random", "secrets", "uuid", "os", "socket", "platform", "getpass", "locale", "sqlalchemy"}
    modules = sorted(Path(str(package.__file__)).parent.glob("*.py"))
    assert len(modules) > 10
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
                if node.module == "datetime":
                    assert {alias.name for alias in node.names} == {"date"}, module.name
                if node.module in pure:
                    assert {alias.name for alias in node.names} <= pure[node.module], module.name
            for name in names:
                assert name.split(".")[0] not in forbidden, f"{module.name} imports {name}"
                if name.startswith("privacy_ops"):
                    assert name in allowed or name.startswith("privacy_ops.usage.files."), f"{module.name}: {name}"


def test_parquet_says_its_rows_and_nothing_else(pack):
    import pyarrow.parquet as pq

    for name in (name for name in pack if name.endswith(".parquet")):
        meta = pq.read_metadata(io.BytesIO(pack[name]))
        assert meta.metadata is None
        assert meta.num_row_groups == 1
        assert meta.created_by.startswith("parquet-cpp-arrow version ")
        for index in range(meta.num_columns):
            column = meta.row_group(0).column(index)
            assert not column.is_stats_set
            assert column.statistics is None
            assert not column.has_dictionary_page
            assert not column.has_column_index
        assert pq.read_schema(io.BytesIO(pack[name])).metadata is None
        assert parquet_secrets(pack[name]) == []
        assert b"pandas" not in pack[name]
        assert b"ARROW" not in pack[name]


def test_a_table_without_rows_is_still_a_table():
    body = build(content(tables=(Table.of(spec(), []),)), SIGNER)
    assert parquet_table(body["usage_by_course_week.parquet"]).rows == ()
    assert verify(body, expected_of(content(), (SIGNER.public_key,)))["usage_by_course_week"].rows == ()


def _spoilt(body: bytes) -> bytes:
    """The table with one count below the threshold that the metadata names."""
    spoilt = re.sub(rb",\d+,published", b",5,published", body, count=1)
    assert spoilt != body
    return spoilt


def test_data_package_is_valid_and_its_reader_finds_hashes_and_types_right(folder, pack):
    frictionless = pytest.importorskip("frictionless")
    described = frictionless.Package(str(folder / "datapackage.json"))
    assert [error.note for error in frictionless.Package.metadata_validate(described.to_descriptor())] == []
    tables = [resource for resource in described.resources if resource.format == "csv"]
    assert len(tables) == len(described.resources) / 2 == 2
    for resource in tables:
        report = resource.validate()
        assert report.valid, report.flatten(["type", "note"])
        shown = csv_table(pack[str(resource.path)], ("n_starters", "n_completers"))
        assert [tuple(row.to_dict()[name] for name in shown.header) for row in resource.read_rows()] == list(shown.rows)
    (folder / "usage_by_course_week.csv").write_bytes(_spoilt(pack["usage_by_course_week.csv"]))
    assert not described.get_resource("usage-by-course-week-csv").validate().valid


def test_csvw_is_valid_and_its_reader_finds_types_and_empty_cells(folder, pack):
    csvw = pytest.importorskip("csvw")
    assert csvw.CSVW(str(folder / "csv-metadata.json"), validate=True).is_valid
    tables = csvw.TableGroup.from_file(folder / "csv-metadata.json").tables
    assert [str(table.url) for table in tables] == ["usage_by_course_week.csv", "usage_by_region_quarter.csv"]
    for table in tables:
        assert table.check_primary_key()
        shown = csv_table(pack[str(table.url)], ("n_starters", "n_completers"))
        assert [tuple(row.values()) for row in table.iterdicts(strict=True)] == list(shown.rows)
    (folder / "usage_by_course_week.csv").write_bytes(_spoilt(pack["usage_by_course_week.csv"]))
    assert not csvw.CSVW(str(folder / "csv-metadata.json"), validate=True).is_valid


def test_pandas_duckdb_and_polars_open_both_files_with_equal_values(folder, pack):
    import duckdb
    import pandas as pd
    import polars as pl

    for name in ("usage_by_course_week", "usage_by_region_quarter"):
        shown = csv_table(pack[f"{name}.csv"], ("n_starters", "n_completers"))
        table, parquet = str(folder / f"{name}.csv"), str(folder / f"{name}.parquet")
        frames = {
            "pandas": pd.read_csv(table).convert_dtypes(),
            "pandas, Parquet": pd.read_parquet(parquet).convert_dtypes(),
        }
        opened = {key: (list(frame), frame.astype(object).where(frame.notna(), None)) for key, frame in frames.items()}
        rows = {key: (header, [tuple(row) for row in frame.to_numpy()]) for key, (header, frame) in opened.items()}
        for key, relation in {
            "DuckDB": duckdb.read_csv(table),
            "DuckDB, Parquet": duckdb.read_parquet(parquet),
        }.items():
            rows[key] = (relation.columns, relation.fetchall())
        for key, frame in {"Polars": pl.read_csv(table), "Polars, Parquet": pl.read_parquet(parquet)}.items():
            rows[key] = (frame.columns, frame.rows())
        for key, (header, found) in rows.items():
            assert tuple(header) == shown.header, key
            assert found == list(shown.rows), key


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(), min_size=1, max_size=12), st.text(st.characters(), max_size=30), max_size=6
    )
)
def test_any_title_and_key_comes_back_from_both_files(titles):
    """Quotes, line breaks, formulas, any script: what a reader gets is the title on one line."""
    titles = {one_line(key): title for key, title in titles.items() if one_line(key)}
    rows = [
        Row(("2026-W47", key), (None, title), (40, None, "0 to 5"), ("published", "withheld", "published"))
        for key, title in titles.items()
    ]
    table = Table.of(spec(), rows)
    layout, shown = columns(table.spec), written(table, "usage-2")
    as_csv = csv_table(csv_file.write(layout, shown), ("n_starters", "n_completers"))
    assert as_csv == parquet_table(parquet_file.write(layout, shown))
    back = {plain(str(row[1])): plain(str(row[2])) for row in as_csv.rows}
    assert back == {key: one_line(title) or key for key, title in titles.items()}


def test_the_metadata_says_nothing_of_a_value_or_of_how_many_rows_there_are():
    few, many = content(week_row("c1")), content(*(week_row(f"c{n}") for n in range(30)))
    one, other = build(few, SIGNER), build(many, SIGNER)
    assert one["csv-metadata.json"] == other["csv-metadata.json"]
    assert one["DATA_DICTIONARY.md"] == other["DATA_DICTIONARY.md"]


def test_a_withheld_cell_looks_the_same_whatever_was_withheld():
    """The model has no place for a reason: too few, none and withheld for another are one and the same row."""
    assert set(Row.__dataclass_fields__) == {"key", "labels", "values", "flags"}
    table = Table.of(spec(), [withheld("c1"), withheld("c2")])
    assert len({row[3:] for row in written(table, "m")}) == 1


def test_readme_tells_the_thresholds_the_duties_and_the_release_that_is_replaced():
    text = build(content(supersedes="R-old"), SIGNER)["README.md"].decode()
    for said in (
        "rounded to the nearest 5",
        "fewer than 10 people",
        "**not zero**",
        "Figures do not add up",
        "Do not try to identify anybody",
        "Do not pass these files on",
        "We may withdraw a release",
        "privacy@publisher.example.org",
        "replaces the release `R-old`",
        "2026-11-16",
        "2026-11-22",
        sums.COMMAND,
        sums.fingerprint(SIGNER.public_key),
    ):
        assert said in text, said
    assert "replaces" not in build(content(), SIGNER)["README.md"].decode().split("## Files")[0]


def test_readme_tells_each_table_its_own_threshold_when_they_differ(pack):
    text = pack["README.md"].decode()
    assert "`usage_by_course_week` to the nearest 5, from 10 people on" in text
    assert "`usage_by_region_quarter` to the nearest 5, from 20 people on" in text


def test_a_recipients_name_cannot_write_into_the_readme():
    text = build(content(recipient_name="A\n## Contact\n[x](http://evil.example.org)"), SIGNER)["README.md"].decode()
    assert text.count("\n## Contact\n") == 1
    assert "[x]" not in text


# --- signature ---


def test_the_signature_verifies_and_is_bound_to_the_sums_the_key_and_the_purpose(pack):
    listed, signature = pack["SHA256SUMS"], pack["SHA256SUMS.sig"]
    assert sums.verifies(listed, signature, (SIGNER.public_key,))
    assert sums.verifies(listed, signature, (signer().public_key, SIGNER.public_key))
    assert not sums.verifies(listed + b"x", signature, (SIGNER.public_key,))
    assert not sums.verifies(listed, signature, (signer().public_key,))
    assert not sums.verifies(listed, signature, ())
    for damaged in (b"", b"\xff", signature[:-40], signature.replace(b"SSH", b"PGP"), b"a\nb\nc\n"):
        assert not sums.verifies(listed, damaged, (SIGNER.public_key,))
    plain_signature = base64.b64encode(SIGNER.sign(listed)).decode()
    forged = f"-----BEGIN SSH SIGNATURE-----\n{plain_signature}\n-----END SSH SIGNATURE-----\n".encode()
    assert not sums.verifies(listed, forged, (SIGNER.public_key,))


def test_sums_are_read_strictly():
    line = f"{'0' * 64}  a.csv\n".encode()
    assert sums.parse(line) == {"a.csv": "0" * 64}
    for bad in (
        b"",
        line[:-1],
        line.replace(b"0", b"A"),
        line * 2,
        b"x\n",
        line.replace(b"a.csv", b"../a"),
        "é\n".encode(),
    ):
        with pytest.raises(ValueError, match=r"SHA256SUMS|ascii"):
            sums.parse(bad)


def test_the_signer_does_not_show_its_key():
    assert "KEY" not in repr(SIGNER).replace("KeySigner", "")


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not on this machine")
def test_a_recipient_checks_the_signature_with_the_very_command_of_the_readme(folder, pack):
    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(sums.COMMAND, shell=True, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S602

    assert f"    {sums.COMMAND}\n" in pack["README.md"].decode()
    good = run()
    assert good.returncode == 0, good.stderr
    assert good.stdout.startswith('Good "course-usage-pack" signature')
    assert sums.fingerprint(SIGNER.public_key) in good.stdout
    (folder / "SHA256SUMS").write_bytes(pack["SHA256SUMS"].replace(b"a", b"b", 1))
    assert run().returncode != 0


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="sha256sum is not on this machine")
def test_a_recipient_compares_the_hashes_with_sha256sum(folder, pack):
    listed = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=True)
    assert listed.stdout.count(": OK") == len(pack) - 2


def test_every_measure_is_explained(pack):
    text = pack["DATA_DICTIONARY.md"].decode()
    for measure in MEASURES:
        assert f"| `{measure.name}` |" in text
        assert measure.description in text.replace("\\", "")
