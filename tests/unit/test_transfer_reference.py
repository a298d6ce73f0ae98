"""Reference tables and registry: what they answer, and what they say about bad input."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from privacy_ops.errors import ConfigError
from privacy_ops.transfers import reference, registry

from tests.unit.transfer_flows import ROOT, TODAY

TABLES = reference.load(ROOT / "include" / "reference")
LAW = TABLES.law(TODAY, TODAY)
# The 27 members, the three EFTA states of the EEA, and the seven territories inside with codes of their own.
MEMBERS = frozenset(
    {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"}
    | {"IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"}
)
INSIDE = {*MEMBERS, "IS", "LI", "NO", *["GF", "GP", "MQ", "RE", "YT", "MF", "AX"]}


@pytest.fixture
def include(tmp_path: Path) -> Path:
    for name in ("reference", "registry"):
        shutil.copytree(ROOT / "include" / name, tmp_path / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_eea_is_exactly_these_codes() -> None:
    inside = {t.code for t in TABLES.territories if LAW.membership(t.code, "EEA")}

    assert inside - {"EEA", "XO-EUI"} == INSIDE
    assert len(MEMBERS) == 27


def test_the_uk_is_home_and_its_neighbours_are_not() -> None:
    assert {t.code for t in TABLES.territories if LAW.membership(t.code, "UK")} == {"GB"}


@pytest.mark.parametrize(
    ("observed", "region", "countries"),
    [
        (None, "us-east-1", ("US",)),
        ("", "us-east-1", ("US",)),
        ("EU", "eu-west-1", ("IE",)),
        ("eu-west-2", "eu-west-2", ("GB",)),
        ("eu-central-2", "eu-central-2", ("CH",)),
        ("global", "global", ()),
    ],
)
def test_what_s3_answers_is_not_what_it_looks_like(
    observed: str | None, region: str, countries: tuple[str, ...]
) -> None:
    found = TABLES.region("aws", observed)

    assert found is not None
    assert (found.region, found.countries) == (region, countries)


def test_a_region_that_nobody_knows_is_none() -> None:
    assert TABLES.region("aws", "eu-west-99") is None


def test_knowledge_has_its_own_clock() -> None:
    then = TABLES.law(date(2025, 7, 1), date(2025, 6, 23)).adequacy("EU", "GB")
    later = TABLES.law(date(2025, 7, 1), date(2025, 6, 24)).adequacy("EU", "GB")

    assert [r.valid_to for r in then] == [date(2025, 6, 27)]
    assert [r.valid_to for r in later] == [date(2025, 12, 27)]


def test_every_row_names_its_source_and_verify_marks_are_kept() -> None:
    rows = (*TABLES.instruments, *TABLES.territories, *TABLES.home_areas, *TABLES.mechanism_rules)

    assert all(row.source for row in rows)
    assert any(row.needs_check for row in TABLES.instruments)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("adequacy_instruments.csv", "2010-10-19,,", "2010-10-40,,", r"line 2, valid_from"),
        ("adequacy_instruments.csv", "EU-AD,,EU,AD", "EU-AD,,EU,A1", r"EU-AD: A1 is not in territories.csv"),
        ("adequacy_instruments.csv", "FULL", "WHOLE", r"line 2, scope"),
        ("adequacy_instruments.csv", "2025-06-24,2025-12-18", "2025-06-20,2025-12-18", r"EU-GB: two rows are known"),
        ("adequacy_instruments.csv", "2021-06-28,2025-06-27", "2021-06-28,2020-06-27", r"valid_to is before"),
        ("territories.csv", "AD,Andorra", "AE,Andorra", r"AE stands twice"),
        ("cloud_regions.csv", "eu-west-2,GB", "eu-west-2,G2", r"aws eu-west-2: G2"),
        ("mechanism_rules.csv", "SCC_2021,EU", "SCC_2031,EU", r"line 2, code"),
        ("adequacy_instruments.csv", "also_called,regime", "called,regime", r"line 1.*add the column also_called"),
        ("adequacy_instruments.csv", "EU-AD,,EU", "EU-AD,EU", r"line 2.*15 cells for 16 columns"),
        ("adequacy_instruments.csv", ",,EU-US,depends on DPF", ",,EU-XX,depends on DPF", r"UK-US: depends_on names"),
        ("mechanism_rules.csv", "UK_IDTA,UK", "UK_ADDENDUM,UK", r"lines 5 and 6: UK_ADDENDUM UK stands twice"),
        ("cloud_regions.csv", "ukwest,GB,uksouth", "ukwest,GB,uknorth", r"azure ukwest: its pair uknorth"),
        ("reference.yaml", "  - cloud_regions.csv", "  - clouds.csv", r"files names other tables"),
        ("reference.yaml", "reviewed_on: 2026-11-22", "reviewed_on: yesterday", r"reviewed_on is not a date"),
    ],
)
def test_bad_reference_data_are_named(include: Path, file: str, old: str, new: str, says: str) -> None:
    change(include / "reference" / file, old, new)

    with pytest.raises(ConfigError, match=says):
        reference.load(include / "reference")


def test_a_missing_table_is_named(include: Path) -> None:
    (include / "reference" / "home_areas.csv").unlink()

    with pytest.raises(ConfigError, match=r"home_areas\.csv"):
        reference.load(include / "reference")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("transfers.yaml", "importer: paylane", "importer: payline",
         r"transfers\.yaml line \d+, transfers\.payments\.importer: no processor payline"),
        ("transfers.yaml", "[idta-ipe]", "[idta-ipa]", r"no mechanism idta-ipa"),
        ("transfers.yaml", "activity: orders", "activity: order", r"payments\.activity: no activity order"),
        ("transfers.yaml", "  payments:\n", "  hosting:\n", r"line \d+: hosting stands twice \(first on line 4\)"),
        ("transfers.yaml", "  payments:\n", "  pay ments:\n", r"a name is letters"),
        ("transfers.yaml", "    owner: finance\n", "    owner: [finance\n", r"line \d+.*"),
        ("assessments.yaml", "outcome: PROCEED_WITH_MEASURES", "outcome: PROCEED",
         r"line \d+, assessments\.tia-sahyadri"),
        ("assessments.yaml", "tia-confluence:", "tia-confluenza:", r"scc-confluence\.assessment: no assessment"),
        ("contracts.yaml", "dpa-sahyadri:", "dpa-sahyadry:", r"linked_agreement: no contract dpa-sahyadri"),
        ("subprocessors.yaml", "  tindertree:", "  cindertree:", r"subprocessors\.cindertree: no processor cindertree"),
        ("subprocessors.yaml", "Ltd: [NZ]", "Ltd: [NO, N1]", r"subprocessors\.Tuatara Hosting Ltd: no country N1"),
        ("attested.yaml", "detector: T-D10", "detector: T-D11", r"attested\.embeds_of_pages\.detector"),
        ("activities.yaml", "user.payment]", "User/Payment]", r"no fideslang data category"),
        ("organisations.yaml", "established: GB", "established: ", r"organisations\.imp\.established"),
        ("transfers.yaml", "country: NZ", "country: N1", r"no country N1"),
        ("transfers.yaml", "nature: SUPPORT", "nature: HELP", r"course_platform\.flows\.1\.nature"),
        ("transfers.yaml", "owner: finance", "ovner: finance", r"payments\.ovner"),
        ("transfers.yaml", "[bucket:imp-submissions]", "[bucket:imp-submissions]\n  again:\n    importer: paylane\n"
         "    purposes: [x]\n    flows: [{country: IE, nature: STORAGE, places: [bucket:imp-submissions]}]",
         r"declared by hosting already"),
        ("mechanisms.yaml", "beneath: scc-brightmail", "beneath: scc-nothing", r"nothing called scc-nothing"),
        ("mechanisms.yaml", "parties: [sahyadri]", "parties: [sahyadre]", r"no processor sahyadre"),
        ("hosts.yaml", "country: CA", "country: C1", r"no country C1"),
        ("processors.yaml", "processors:", "processor:", r"another shape"),
    ],
)  # fmt: skip
def test_a_bad_registry_is_named(include: Path, file: str, old: str, new: str, says: str) -> None:
    change(include / "registry" / file, old, new)

    with pytest.raises(ConfigError, match=says):
        registry.load(include / "registry", TABLES)


def test_a_host_is_found_by_the_nearest_domain_above_it() -> None:
    known = registry.load(ROOT / "include" / "registry", TABLES)

    found = known.host("db1.abc.RDS.eu-west-2.amazonaws.com")
    assert found is not None
    assert found.country == "GB"
    assert known.host("amazonaws.com") is None
    assert known.host("evil-lecternware.example.org") is None
