"""The release spec: what it declares, what it refuses and how clearly, and what its version depends on."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from privacy_ops.disclosure.linked.rules import Rules
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory
from privacy_ops.usage import release_spec
from privacy_ops.usage.release_spec import BaseLimits, ReleaseSpec

PATH = home_directory() / "include" / "release_spec.yaml"
TEXT = PATH.read_text(encoding="utf-8")
READ: dict[str, Any] = yaml.safe_load(TEXT)


@pytest.fixture(scope="module")
def spec() -> ReleaseSpec:
    return release_spec.load(PATH)


def changed(where: str, value: Any) -> dict[str, Any]:
    """The repository's spec with one entry changed; ``None`` removes it."""
    read = copy.deepcopy(READ)
    *way, last = where.split("/")
    here = read
    for step in way:
        here = here[step]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return read


def written(folder: Path, read: dict[str, Any]) -> Path:
    path = folder / "release_spec.yaml"
    path.write_text(yaml.safe_dump(read, sort_keys=False), encoding="utf-8")
    return path


def test_authors_and_supporters_get_the_tables_of_the_policy(spec):
    shown = {
        product: {table: (given.parts, given.measures) for table, given in audience.tables.items()}
        for product, audience in spec.audiences.items()
    }
    counts = ("starters", "completers", "mean_minutes")
    assert shown == {
        "EXP-AUTHOR": {
            "period": (("course", "module"), counts),
            "country_quarter": (("country",), (*counts, "pass_share")),
            "region_year": (("course", "region"), counts),
        },
        "EXP-SUPPORTER": {
            "period": (("course",), counts),
            "region_quarter": (("course", "region"), (*counts, "completion_share")),
            "region_year": (("course", "region"), counts),
        },
    }
    assert spec.tables() == ("period", "country_quarter", "region_quarter", "region_year")


def test_a_supporters_quarters_by_region_need_twenty_people(spec):
    assert spec.min_people("EXP-SUPPORTER", "region_quarter") == 20
    assert spec.min_people("EXP-SUPPORTER", "region_year") == spec.min_people("EXP-AUTHOR", "period") == 10
    assert [spec.audiences[p].min_institutions for p in ("EXP-AUTHOR", "EXP-SUPPORTER")] == [3, 5]


def test_the_protection_gets_the_rules_that_are_declared(spec):
    assert spec.rules() == Rules(min_institutions=3), "the defaults of the engine are those of the domain"
    assert spec.rules("EXP-SUPPORTER", "region_quarter") == Rules(min_people=20, min_institutions=5)
    assert spec.rules("EXP-SUPPORTER", "period") == Rules(min_institutions=5)
    assert spec.rules("EXP-AUTHOR", "region_year") == spec.rules()


REFUSED = {
    "thresholds/min_people": (5, r"thresholds.min_people: .*greater than or equal to 10"),
    "thresholds/round_to": (4, "an even round_to has ties"),
    "thresholds/max_institution_share": (80, "thresholds.max_institution_share"),
    "thresholds/dominance_share": (95, "thresholds.dominance_share"),
    "thresholds/p_ratio": (5, "thresholds.p_ratio"),
    "thresholds/lifetime_min_learners": (10, "thresholds.lifetime_min_learners"),
    "thresholds/protect_share": (None, "thresholds.protect_share: Field required"),
    "measures/pass_share/bands": ([0, 50], "below 5 or above 95 per cent is never shown"),
    "measures/completion_share/top": (100, "below 5 or above 95 per cent is never shown"),
    "measures/mean_minutes/bands": ([5, 10], "begin at 0"),
    "measures/completion_share/bands": ([10, 50], "both shares have the same bands"),
    "measures/scores": ({"kind": "mean"}, "measures.scores: Extra inputs are not permitted"),
    "base_period/block_from": (260, "block_from below week_from"),
    "dimensions/time": (["day", "week", "quarter", "year"], "dimensions.time"),
    "audiences/EXP-AUTHOR/min_institutions": (2, "no audience may have less than the master"),
    "audiences/EXP-SUPPORTER/tables/region_quarter/min_people": (22, "multiple of round_to"),
    "audiences/EXP-SUPPORTER/tables/region_year/min_people": (5, "no audience may have less than the master"),
    "audiences/EXP-SUPPORTER/tables/period/parts": (["course", "module"], "never shows anything by module"),
    "audiences/EXP-AUTHOR/tables/region_year/parts": (["country"], "region_year has no cells by country"),
    "audiences/EXP-AUTHOR/tables/period/measures": (["pass_share"], "quarterly start cohorts"),
    "audiences/EXP-AUTHOR/tables/period/profile": ("differential_privacy", "the same cells, or cells that add up"),
    "differential_privacy": (
        {"rho": {"week": 0.01}, "rho_per_year": 0.78, "cells_per_person": 5, "least_shown": 25},
        "no table is drawn by week",
    ),
    "audiences/EXP-AUTHOR/tables/weekly": ({"parts": ["course"], "measures": ["starters"]}, "tables.weekly"),
    "audiences/EXP-PRESS": ({"min_institutions": 3, "tables": {}}, "audiences.EXP-PRESS"),
}


@pytest.mark.parametrize("where", REFUSED)
def test_what_would_not_protect_is_refused_with_its_field(tmp_path, where):
    value, says = REFUSED[where]
    with pytest.raises(ConfigError, match=says):
        release_spec.load(written(tmp_path, changed(where, value)))


NOISE = {"rho": {"week": 0.0147}, "rho_per_year": 0.78, "cells_per_person": 5, "least_shown": 25}


def noisy(**changes: object) -> dict:
    """Noisy counts by week for everybody; nothing else is released."""
    read = yaml.safe_load(TEXT)
    for product, parts in (("EXP-AUTHOR", ["course", "module"]), ("EXP-SUPPORTER", ["course"])):
        table = {"parts": parts, "measures": ["starters", "completers"], "profile": "differential_privacy"}
        read["audiences"][product]["tables"] = {"period": table}
    read["differential_privacy"] = NOISE | changes
    return read


def test_everybody_may_have_the_second_profile(tmp_path):
    found = release_spec.load(written(tmp_path, noisy()))
    assert found.differential_privacy
    assert str(found.differential_privacy.rho["week"]) == "0.0147"
    assert {table for _, table in found.drawn("week")} == {"period"}
    assert not found.drawn("quarter")
    assert found.min_people("EXP-AUTHOR", "period") == 25
    assert found.closing("EXP-AUTHOR", "week", ()) == {"period"}, "whatever a course's base period"
    assert not found.closing("EXP-AUTHOR", "quarter", ("period",))
    assert not found.closing("EXP-AUTHOR", "week", ("period",), "threshold")


def test_modules_may_be_noisy_where_courses_and_places_are_not(tmp_path):
    """Modules do not add up to courses: nothing else has their cells."""
    read = yaml.safe_load(TEXT)
    table = {"parts": ["module"], "measures": ["starters"], "profile": "differential_privacy"}
    read["audiences"]["EXP-AUTHOR"]["tables"]["period"] = table
    read["differential_privacy"] = NOISE
    assert release_spec.load(written(tmp_path, read)).drawn("week")


def by_region(read: dict, product: str, table: str, profile: str) -> dict:
    given = {"parts": ["region"], "measures": ["starters"], "profile": profile}
    read["audiences"][product]["tables"][table] = given
    return read


def with_means(read: dict) -> dict:
    read["audiences"]["EXP-AUTHOR"]["tables"]["period"]["measures"] = ["mean_minutes"]
    return read


DRAWN = "differential_privacy"
UNSOUND = {
    "regions_of_a_drawn_course": (by_region(noisy(), "EXP-AUTHOR", "region_year", "threshold"), "add up to them"),
    "the_year_of_a_drawn_quarter": (
        by_region(
            by_region(noisy(), "EXP-AUTHOR", "region_year", DRAWN), "EXP-SUPPORTER", "region_quarter", "threshold"
        ),
        "add up to them",
    ),
    "no_numbers": ({k: v for k, v in noisy().items() if k != DRAWN}, "differential_privacy: missing"),
    "a_period_without_cost": (by_region(noisy(), "EXP-AUTHOR", "region_year", DRAWN), "year missing"),
    "a_long_year_costs_too_much": (noisy(rho={"week": 0.015}), "53 weeks would cost 0.795"),
    "free": (noisy(rho={"week": 0}), "costs more than nothing"),
    "shown_too_early": (noisy(least_shown=5), "greater than or equal to 10"),
    "shown_off_the_base": (noisy(least_shown=23), "multiple of round_to"),
    "nobody_adds": (noisy(cells_per_person=0), "cells_per_person"),
    "a_mean": (with_means(noisy()), "mean_minutes cannot be drawn"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_second_profile_that_does_not_hold_is_refused(tmp_path, name):
    read, says = UNSOUND[name]
    with pytest.raises(ConfigError, match=says):
        release_spec.load(written(tmp_path, read))


def test_a_mistake_is_told_with_the_line_it_stands_on(tmp_path):
    path = tmp_path / "release_spec.yaml"
    path.write_text(TEXT.replace("p_ratio: 10", "p_ratio: 1"), encoding="utf-8")
    line = next(n for n, said in enumerate(TEXT.splitlines(), start=1) if "p_ratio" in said)
    with pytest.raises(ConfigError, match=rf"release_spec\.yaml.*line {line}, thresholds\.p_ratio"):
        release_spec.load(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (TEXT + "version: 2\n", f"line {len(TEXT.splitlines()) + 1}: version"),
        (TEXT.replace("round_to: 5 ", "round_to: 5\n  round_to: 3 "), "round_to"),
        ("version: [", "not valid YAML"),
        ("", "not valid"),
    ],
)
def test_text_that_is_no_spec_is_refused(tmp_path, text, says):
    path = tmp_path / "release_spec.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        release_spec.load(path)


def test_a_missing_spec_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"release_spec\.yaml"):
        release_spec.load(tmp_path / "release_spec.yaml")


def test_the_version_follows_what_it_says_and_not_how_it_is_written(spec, tmp_path):
    assert spec.spec_version.startswith(f"{release_spec.METHOD}.")
    assert release_spec.load(written(tmp_path, READ)).spec_version == spec.spec_version, "comments do not count"
    versions = {spec.spec_version}
    for where, value in (
        ("thresholds/min_people", 15),
        ("base_period/week_from", 300),
        ("measures/mean_minutes/cap_per_day", 90),
        ("audiences/EXP-AUTHOR/min_institutions", 4),
        ("audiences/EXP-AUTHOR/tables/region_year", None),
    ):
        versions.add(release_spec.load(written(tmp_path, changed(where, value))).spec_version)
    assert len(versions) == 6


LIMITS = BaseLimits(week_from=260, block_from=65)


@pytest.mark.parametrize(
    ("starters", "base"),
    [(0, "quarter"), (62, "quarter"), (63, "block"), (65, "block"), (257, "block"), (258, "week"), (5000, "week")],
)
def test_base_periods_by_the_starters_of_the_quarter_before(starters, base):
    assert LIMITS.of(starters, 5) == base


@given(st.integers(0, 1000))
def test_the_base_period_tells_no_more_than_the_rounded_number_does(starters):
    rounded = (starters + 2) // 5 * 5
    assert {LIMITS.of(n, 5) for n in range(max(rounded - 2, 0), rounded + 3)} == {LIMITS.of(starters, 5)}
