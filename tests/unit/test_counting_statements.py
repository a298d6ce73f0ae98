"""The counting statements keep to what PostgreSQL, DuckDB and Spark all understand, and understand alike."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from privacy_ops.settings import home_directory
from privacy_ops.usage import counting, drawing

FOLDERS = (counting.AREA, drawing.AREA)
FILES = sorted(path for area in FOLDERS for path in (home_directory() / "include" / "sql" / Path(area)).glob("*.sql"))
# Each is read differently by one of the engines, or not at all.
FORBIDDEN = (
    *("GROUPING SETS", "CUBE", "ROLLUP", "COUNT(DISTINCT", "COUNT (DISTINCT", "FILTER", "DISTINCT ON", "LATERAL"),
    *("::", "ILIKE", "GREATEST", "LEAST", "DATE_TRUNC", "INTERVAL", "EXTRACT", "NOW()", "CURRENT_", "STRING_AGG"),
    *("CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "RETURNING", "NULLS FIRST", "NULLS LAST", "QUALIFY", "ARRAY"),
    *("RANDOM", "TIMESTAMP '", "AT TIME ZONE", "USING", "NATURAL"),
)


def query(path: Path) -> str:
    return "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--"))


def _stands(word: str, text: str) -> bool:
    """A word by itself; a sign anywhere."""
    return re.search((r"(?<!\w)" if word[0].isalpha() else "") + re.escape(word), text) is not None


def faults(text: str) -> list[str]:
    """What in a query another engine may take otherwise."""
    found = [word for word in FORBIDDEN if _stands(word, text.upper())]
    found += [f"{m[0]!r} without AS" for m in re.finditer(r"\b(FROM|JOIN)\s+(?!\()\w+\s+(?!AS\b)\w+", text)]
    found += [f"{m[0]!r} without AS" for m in re.finditer(r"\)\s+[a-z]\w*", text)]
    found += [f"division {m[0]!r}" for m in re.finditer(r"(?<!MOD\()[^\n]*/[^\n]*", text) if "MOD(" not in m[0]]
    found += ["UNION that is not UNION ALL"] * len(re.findall(r"\bUNION\b(?!\s+ALL)", text))
    return found


def test_every_step_and_every_answer_is_a_file_here():
    names = {path.stem for path in FILES}
    assert set(counting.STEPS) | set(drawing.STEPS) <= names
    assert {"select_course", "select_module", "select_country", "select_region"} <= names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_statement_keeps_the_rules(path):
    text = query(path)
    assert text.lstrip().startswith(("SELECT", "WITH"))
    assert faults(text) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("levels_at_once", "SELECT e.a FROM t AS e GROUP BY GROUPING SETS ((e.a))"),
        ("distinct_over_events", "SELECT COUNT(DISTINCT e.person) FROM t AS e"),
        ("a_cast_of_one_engine", "SELECT e.a::bigint FROM t AS e"),
        ("a_table_without_as", "SELECT e.a FROM t e"),
        ("a_joined_table_without_as", "SELECT e.a FROM t AS e INNER JOIN u v ON e.a = v.a"),
        ("a_query_without_as", "SELECT e.a FROM (SELECT 1 AS a) e"),
        ("a_union_that_looks_for_doubles", "SELECT e.a FROM t AS e UNION SELECT e.a FROM t AS e"),
        ("a_division_with_a_remainder", "SELECT e.a / 2 AS half FROM t AS e"),
        ("the_clock", "SELECT CURRENT_DATE AS today"),
    ],
)
def test_what_would_differ_is_noticed(name, text):
    assert faults(text), name
