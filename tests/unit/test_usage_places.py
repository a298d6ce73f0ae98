"""Countries and world regions: complete, public, and a class of its own for what is not known."""

from __future__ import annotations

import csv

import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.settings import home_directory
from privacy_ops.usage import places

FOLDER = home_directory() / "include" / "reference"


@pytest.fixture(scope="module")
def reference() -> places.Places:
    return places.load(FOLDER)


def test_every_country_and_territory_that_the_transfer_reference_knows_has_a_region(reference):
    with (FOLDER / "territories.csv").open(encoding="utf-8") as text:
        known = {row["code"] for row in csv.DictReader(text) if row["kind"] in {"COUNTRY", "TERRITORY"}}
    missing = known - {country.code for country in reference.countries}
    assert missing == {"AQ"}, "UN M49 puts Antarctica in no region: its people are not known"


def test_the_regions_are_those_of_the_united_nations_and_not_known_comes_last(reference):
    assert reference.regions == ("Africa", "Americas", "Asia", "Europe", "Oceania", "not known")


@pytest.mark.parametrize(
    ("written", "code", "region"),
    [
        ("GB", "GB", "Europe"),
        (" uk ", "GB", "Europe"),
        ("EL", "GR", "Europe"),
        ("TR", "TR", "Asia"),
        ("ZA", "ZA", "Africa"),
        ("BR", "BR", "Americas"),
        ("FJ", "FJ", "Oceania"),
        (None, "ZZ", "not known"),
        ("", "ZZ", "not known"),
        ("XX", "ZZ", "not known"),
        ("United Kingdom", "ZZ", "not known"),
        ("AQ", "ZZ", "not known"),
    ],
)
def test_what_was_written_leads_to_one_country_or_to_the_class_of_those_not_known(reference, written, code, region):
    found = reference.country(written)
    assert (found.code, found.region) == (code, region)
    assert found.shown_alone is (code != "ZZ")


def test_each_country_stands_once_and_in_order(reference):
    codes = [country.code for country in reference.countries]
    assert codes == [*sorted(set(codes) - {"ZZ"}), "ZZ"]
    assert {country.region for country in reference.countries} == set(reference.regions)


GOOD = "code,country,name,region,m49,source,as_of\nGB,GB,United Kingdom,Europe,150,x,2026-11-22\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "FR,FR,France,,150,x,2026-11-22\n", "line 3, region"),
        (GOOD + "UK,GR,Greece,Europe,150,x,2026-11-22\n", "UK: its country GR has no row"),
        (GOOD + "GB,GB,United Kingdom,Europe,150,x,2026-11-22\n", "GB stands twice"),
        (GOOD + "ZZ,ZZ,Nowhere,Europe,150,x,2026-11-22\n", "ZZ stands for countries not known"),
        (GOOD + "FR,FR,France,Europe,150,x,yesterday\n", "line 3, as_of"),
        ("code,country,name,region,m49,source,as_of\n", "no rows"),
    ],
)
def test_a_wrong_reference_says_where_and_what(tmp_path, text, says):
    (tmp_path / places.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        places.load(tmp_path)


def test_a_missing_reference_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"world_regions\.csv"):
        places.load(tmp_path)
